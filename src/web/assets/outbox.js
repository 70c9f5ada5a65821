// What I wrote, changed, deleted and reacted to, and the server has not confirmed. It survives a reload, and goes out once,
// in order: each message keeps the uuid it got before its first try, and the server takes the same uuid only once. The
// rest may be done twice without harm.

import { attempt } from "./dom.js";
import { me, uuid } from "./page.js";
import { AGAIN, Emitter, PASSING } from "./wire.js";

/** Each message has a key of its own, so that windows that write at the same time lose none of each other's. */
const KEY = `parlor.outbox.${me?.uuid}.`;

/** What the server is asked for. */
const FRAMES = {
  send: ({ room, uuid: id, content, reply, at }) => ({ room, uuid: id, content, reply_to: reply?.id ?? null, sent_at: at }),
  edit: ({ message, content }) => ({ message, content }),
  delete: ({ message }) => ({ message }),
  react: ({ message, emoji, on }) => ({ message, emoji, on }),
};

/** Emits "changed", "sent" (a message as the server has it now) and "refused" ({ change, code }: it is given up). */
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

  get size() {
    return this.#entries.length;
  }

  /** What waits in a room to be seen: messages, and edits that were refused: { uuid, op, content, reply, at, error }. */
  of(room) {
    return this.#entries.filter((entry) => entry.room === room && (entry.op === "send" || entry.error));
  }

  /** Edits, deletions and reactions that wait, in order: { op, message, … }. */
  changes() {
    return this.#entries.filter((entry) => entry.op !== "send" && !entry.error && !entry.done);
  }

  add(room, content, reply) {
    this.#add({ op: "send", room, content, reply });
  }

  /** Changes a message: "edit" with { content }, "delete", or "react" with { emoji, on }. */
  change(op, room, message, fields) {
    this.#add({ op, room, message, ...fields });
  }

  #add(fields) {
    // No two at one time, so that they keep their order.
    const last = Math.max(0, ...this.#entries.map((entry) => Date.parse(entry.at)));
    const at = new Date(Math.max(Date.now(), last + 1)).toISOString();
    const entry = { uuid: uuid(), at, error: null, ...fields };
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
      const { message } = await this.#wire.ask(entry.op, FRAMES[entry.op](entry));
      entry.done = true;
      this.emit("sent", message);
      this.confirm(entry.uuid);
      return true;
    } catch ({ code }) {
      if (code === "offline") return false;
      if (PASSING.has(code)) {
        setTimeout(() => this.#flush(), AGAIN);
        return false;
      }
      this.#refuse(entry, code);
      return true;
    }
  }

  /** What was typed waits for a decision; what was pressed can be pressed again. */
  #refuse(entry, code) {
    if (typeof entry.content === "string") return this.#mark(entry.uuid, code);
    this.discard(entry.uuid);
    this.emit("refused", { change: entry, code });
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
  if (!entry) return null;
  // Earlier versions kept nothing but messages.
  entry.op ??= "send";
  const written = entry.op === "send" || entry.op === "edit" ? [entry.content] : [];
  const isText = [entry.uuid, entry.at, ...written].every((text) => typeof text === "string");
  return isText && entry.op in FRAMES && !Number.isNaN(Date.parse(entry.at)) ? entry : null;
}

const save = (entry) => attempt(() => localStorage.setItem(KEY + entry.uuid, JSON.stringify(entry)));

const drop = (id) => attempt(() => localStorage.removeItem(KEY + id));
