// The room that is open: what comes in, what is read.

import { Actions } from "./actions.js";
import { Changes } from "./changes.js";
import { Composer } from "./composer.js";
import { $, setText } from "./dom.js";
import { History } from "./history.js";
import { Lightbox } from "./lightbox.js";
import { count, me, nameOf, page, say } from "./page.js";
import { Pending } from "./pending.js";
import { Place } from "./place.js";
import { Timeline } from "./timeline.js";

/** What is seen while one scrolls is told to the server this often, milliseconds. */
const READ_EVERY = 300;

export class Chat {
  #rooms;
  #outbox;
  #room = page.room;
  #timeline = new Timeline(page.room);
  #history = new History(this.#timeline);
  #composer;
  #gone = false;
  /** Messages that came while somebody looked at older ones. */
  #below = 0;
  #position = page.room.change;
  #reading = 0;

  constructor(wire, rooms, outbox, uploads) {
    this.#rooms = rooms;
    this.#outbox = outbox;
    this.#composer = new Composer({ wire, outbox, uploads, rooms, timeline: this.#timeline, history: this.#history });
    new Pending(outbox, uploads, this.#timeline, this.#composer);
    new Changes(outbox, this.#timeline);
    new Actions(outbox, this.#timeline, this.#history, this.#composer);
    new Lightbox(this.#timeline.log);
    rooms.position = () => this.#position;
    rooms.on("messages", ({ room, messages }) => room === this.#room.id && this.#take(messages));
    rooms.on("reset", (room) => room === this.#room.id && this.#reset());
    rooms.on("live", ({ room }) => room === this.#room.id && this.#live());
    rooms.on("gone", ({ room, event }) => room === this.#room.id && this.#leave(event));
    rooms.on("changed", () => this.#changed());
    for (const sender of [outbox, uploads]) {
      sender.on("sent", (message) => message.room_id === this.#room.id && this.#timeline.upsert([message]));
    }
    document.addEventListener("visibilitychange", () => this.#read());
    $("#jump").addEventListener("click", () => this.#history.latest().catch(() => location.reload()));
    this.#timeline.log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    if (page.room.at) this.#timeline.reveal(page.room.at);
    new Place(this.#timeline, this.#history).restore();
    this.#scrolled();
  }

  /** What the server tells, in order. What it answers to what I sent is no part of it: it may be ahead of what I missed. */
  #take(messages) {
    const { latest, atBottom, hasLine } = this.#timeline;
    const readAll = this.#rooms.all.get(this.#room.id)?.last_read_id >= latest;
    this.#timeline.upsert(messages);
    for (const message of messages) {
      this.#position = Math.max(this.#position, message.change_id);
      if (message.sender.id === me.id) this.#outbox.confirm(message.uuid);
    }
    const fresh = messages.filter((one) => one.id > latest && one.sender.id !== me.id && !one.deleted_at);
    if (fresh.length && (document.hidden || !atBottom) && (readAll || !hasLine)) this.#timeline.drawLine(fresh[0].id);
    if (!atBottom) this.#below += fresh.length;
    if (!this.#timeline.older && this.#timeline.entries.length) setText($("#log-top"), say("beginning"));
    this.#scrolled();
    this.#read();
  }

  /** From here on nothing is missed. */
  #live() {
    this.#timeline.log.dataset.live = "yes";
    this.#read();
  }

  /** What is seen is read, if nothing before it was passed over. */
  #read() {
    clearTimeout(this.#reading);
    this.#reading = 0;
    const room = this.#rooms.all.get(this.#room.id);
    if (!room || this.#gone || document.hidden) return;
    const { atBottom, older, oldest, newest, newer, lastSeen } = this.#timeline;
    if (!atBottom && older && oldest > room.last_read_id) return;
    const through = atBottom ? newest : lastSeen;
    const passed = this.#timeline.countOthers(room.last_read_id, through);
    const left = newer ? Math.max(1, room.unread - passed) : this.#timeline.countOthers(through, newest);
    this.#rooms.markRead(room.id, through, left);
  }

  #readSoon() {
    this.#reading ||= setTimeout(() => this.#read(), READ_EVERY);
  }

  #scrolled() {
    const { log, atBottom, newer } = this.#timeline;
    if (atBottom) this.#below = 0;
    const button = $("#jump");
    button.dataset.text ??= button.textContent;
    button.hidden = atBottom || (!this.#below && !newer && log.scrollTop > -log.clientHeight);
    setText(button, this.#below ? `↓ ${count("new_one", "new_many", this.#below)}` : button.dataset.text);
    if (atBottom) this.#read();
    else this.#readSoon();
  }

  /** Too much was missed: begins again with the newest. */
  #reset() {
    this.#history.restart().catch(() => location.reload());
  }

  #changed() {
    const room = this.#rooms.all.get(this.#room.id);
    if (!room) return;
    if (room.cleared_through >= this.#timeline.oldest && this.#timeline.entries.length) this.#reset();
    if (room.other_read_id > this.#timeline.otherRead) this.#timeline.setOtherRead(room.other_read_id);
    if (room.kind === "direct") return;
    setText($(".bar h1"), room.name);
    setText($("#member-count"), count("members_one", "members_many", room.member_count));
  }

  #leave(event) {
    if (this.#gone) return;
    this.#gone = true;
    const by = event?.by && nameOf(event.by);
    const texts = { left: "left_room", closed: "room_closed", kicked: by ? "kicked_by" : "kicked" };
    const key = event?.event === "room_deleted" ? "room_deleted" : (texts[event?.reason] ?? "kicked");
    this.#composer.close(say(key, { name: by }));
  }
}
