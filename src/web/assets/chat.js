// The room that is open: history, what comes in, what is read.

import { Actions } from "./actions.js";
import { Composer } from "./composer.js";
import { $, setText } from "./dom.js";
import { count, get, me, nameOf, page, say } from "./page.js";
import { Timeline } from "./timeline.js";

const PAGE = 50;

export class Chat {
  #rooms;
  #room = page.room;
  #timeline = new Timeline(page.room.other_read);
  #composer;
  #more = page.room.more;
  #loading = false;
  #gone = false;
  /** Messages that came while somebody looked at older ones. */
  #below = 0;
  #position = page.room.change;

  constructor(wire, rooms, outbox) {
    this.#rooms = rooms;
    this.#composer = new Composer(wire, outbox, this.#timeline);
    new Actions(wire, this.#timeline, this.#composer);
    rooms.position = () => this.#position;
    rooms.on("messages", ({ room, messages }) => room === this.#room.id && this.#take(messages, outbox));
    rooms.on("reset", (room) => room === this.#room.id && this.#reset());
    rooms.on("live", (room) => room === this.#room.id && this.#live());
    rooms.on("gone", ({ room, event }) => room === this.#room.id && this.#leave(event));
    rooms.on("changed", () => this.#changed());
    outbox.on("sent", (message) => message.room_id === this.#room.id && this.#take([message], outbox));
    document.addEventListener("visibilitychange", () => this.#read());
    $("#jump").addEventListener("click", () => this.#timeline.toBottom());
    this.#timeline.log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#timeline.log.addEventListener("trimmed", () => this.#setMore(true));
    new IntersectionObserver(([top]) => top.isIntersecting && this.#older(), {
      root: this.#timeline.log,
      rootMargin: "600px 0px 0px 0px",
    }).observe($("#log-top"));
  }

  #take(messages, outbox) {
    const before = this.#timeline.newest;
    const atBottom = this.#timeline.atBottom;
    this.#timeline.upsert(messages);
    for (const message of messages) {
      this.#position = Math.max(this.#position, message.change_id);
      if (message.sender.id === me.id) outbox.confirm(message.uuid);
    }
    const fresh = messages.filter((one) => one.id > before && one.sender.id !== me.id && !one.deleted_at);
    if (fresh.length && (document.hidden || !atBottom) && !this.#timeline.hasLine) this.#timeline.drawLine(fresh[0].id);
    if (!atBottom) this.#below += fresh.length;
    if (!this.#more && this.#timeline.entries.length) this.#setMore(false);
    this.#scrolled();
    this.#read();
  }

  /** From here on nothing is missed. */
  #live() {
    this.#timeline.log.dataset.live = "yes";
    this.#read();
  }

  /** What is seen is read. */
  #read() {
    if (this.#gone || document.hidden || !this.#timeline.atBottom) return;
    this.#rooms.markRead(this.#room.id, this.#timeline.newest);
  }

  #scrolled() {
    const { log, atBottom } = this.#timeline;
    if (atBottom) this.#below = 0;
    const button = $("#jump");
    button.dataset.text ??= button.textContent;
    button.hidden = atBottom || (!this.#below && log.scrollTop > -log.clientHeight);
    setText(button, this.#below ? `↓ ${count("new_one", "new_many", this.#below)}` : button.dataset.text);
    if (atBottom) this.#read();
  }

  async #older() {
    if (this.#loading || !this.#more || !this.#timeline.entries.length) return;
    this.#loading = true;
    try {
      const page = await get(`rooms/${this.#room.id}/messages?limit=${PAGE}&before=${this.#timeline.oldest}`);
      this.#timeline.prepend(page.items);
      this.#setMore(page.more);
    } catch {
      setText($("#log-top"), say("history_failed"));
    }
    this.#loading = false;
    // The page may have been too short to push the top out of sight.
    if (this.#more && $("#log-top").getBoundingClientRect().bottom > 0) requestAnimationFrame(() => this.#older());
  }

  #setMore(more) {
    this.#more = more;
    setText($("#log-top"), say(more ? "loading" : "beginning"));
  }

  /** Too much was missed: begins again with the newest. */
  async #reset() {
    this.#timeline.clear();
    try {
      const page = await get(`rooms/${this.#room.id}/messages?limit=${PAGE}`);
      this.#timeline.upsert(page.items);
      this.#setMore(page.more);
      this.#timeline.toBottom();
    } catch {
      location.reload();
    }
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
