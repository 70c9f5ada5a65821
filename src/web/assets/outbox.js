// What I wrote and the server has not confirmed. It survives a reload, and goes out once, in order: each message keeps the
// uuid it got before its first try, and the server takes the same uuid only once.

import { attempt } from "./dom.js";
import { me, uuid } from "./page.js";
import { AGAIN, Emitter, PASSING } from "./wire.js";

/** Each message has a key of its own, so that windows that write at the same time lose none of each other's. */
const KEY = `parlor.outbox.${me.uuid}.`;

/** Emits "changed", "sent" (a message). */
export class Outbox extends Emitter {
  #wire;
  #entries = load();
  #busy = false;

  constructor(wire) {
    super();
    this.#wire = wire;
    wire.on("online", () => this.#flush());
    // Another window of mine has changed it.
    addEventListener("storage", ({ key, newValue }) => key?.startsWith(KEY) && this.#hear(key.slice(KEY.length), newValue));
  }

  /** What waits in a room: { uuid, content, reply, at, error }. */
  of(room) {
    return this.#entries.filter((entry) => entry.room === room);
  }

  add(room, content, reply) {
    // No two at one time, so that they keep their order.
    const last = Math.max(0, ...this.#entries.map((entry) => Date.parse(entry.at)));
    const at = new Date(Math.max(Date.now(), last + 1)).toISOString();
    const entry = { uuid: uuid(), room, content, reply, at, error: null };
    this.#entries.push(entry);
    this.#changed(entry);
    this.#flush();
  }

  retry(id) {
    this.#mark(id, null);
    this.#flush();
  }

  discard(id) {
    this.#forget(id);
    drop(id);
  }

  /** The server has it, however we know. */
  confirm(id) {
    if (this.#entries.some((entry) => entry.uuid === id)) this.discard(id);
  }

  #changed(entry) {
    save(entry);
    this.emit("changed");
  }

  #mark(id, error) {
    const entry = this.#entries.find((one) => one.uuid === id);
    if (entry) this.#changed(Object.assign(entry, { error }));
  }

  #forget(id) {
    this.#entries = this.#entries.filter((entry) => entry.uuid !== id);
    this.emit("changed");
  }

  /** What another window of mine wrote or sent; if that one is gone before it can send it, this one does. */
  #hear(id, json) {
    this.#forget(id);
    const entry = parse(json);
    if (!entry) return;
    this.#entries = [...this.#entries, entry].sort(byTime);
    this.emit("changed");
    setTimeout(() => this.#flush(), AGAIN);
  }

  /** Sends one after the other; who fails for good waits for a retry and holds up nobody. */
  async #flush() {
    if (this.#busy) return;
    this.#busy = true;
    for (;;) {
      const entry = this.#entries.find((one) => !one.error);
      if (!entry || !this.#wire.ready) break;
      if (!(await this.#send(entry))) break;
    }
    this.#busy = false;
  }

  async #send(entry) {
    try {
      const { room, uuid: id, content, reply, at: sent_at } = entry;
      const draft = { room, uuid: id, content, reply_to: reply?.id ?? null, sent_at };
      const { message } = await this.#wire.ask("send", draft);
      this.emit("sent", message);
      this.confirm(id);
      return true;
    } catch ({ code }) {
      if (code === "offline") return false;
      if (PASSING.has(code)) {
        setTimeout(() => this.#flush(), AGAIN);
        return false;
      }
      this.#mark(entry.uuid, code);
      return true;
    }
  }
}

const byTime = (one, other) => one.at.localeCompare(other.at);

// Where nothing may be stored, the outbox lives as long as the page.
function load() {
  const kept = attempt(() => Object.entries(localStorage), []).filter(([key]) => key.startsWith(KEY));
  return kept.map(([, json]) => parse(json)).filter(Boolean).sort(byTime);
}

/** An entry as it was stored; null if it is none. */
function parse(json) {
  const entry = attempt(() => JSON.parse(json));
  const texts = entry && [entry.uuid, entry.content, entry.at];
  return texts?.every((text) => typeof text === "string") && !Number.isNaN(Date.parse(entry.at)) ? entry : null;
}

const save = (entry) => attempt(() => localStorage.setItem(KEY + entry.uuid, JSON.stringify(entry)));

const drop = (id) => attempt(() => localStorage.removeItem(KEY + id));
