// Controller of the open room: incoming messages and the read cursor.

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

/** Interval at which the read cursor is sent while scrolling, milliseconds. */
const READ_EVERY = 300;

export class Chat {
  #rooms;
  #outbox;
  #room = page.room;
  #timeline = new Timeline(page.room);
  #history = new History(this.#timeline);
  #composer;
  #gone = false;
  /** Number of messages that arrived while the reader looked at older ones. */
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

  /**
   * Takes messages from the server's events, in order. Answers to own messages do not come here: they may be ahead of
   * messages that were missed.
   */
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

  /** Called when all missed messages have arrived. */
  #live() {
    this.#timeline.log.dataset.live = "yes";
    this.#read();
  }

  /** Moves the read cursor to the last visible message, unless unread ones before it were skipped. */
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

  /** Starts again with the newest messages, because too many were missed. */
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
