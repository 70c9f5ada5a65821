// Queue of messages, edits, deletions and reactions that the server has not confirmed. It survives a reload and is sent
// in order. Each message keeps the uuid it got before the first try, and the server accepts a uuid only once; all other
// operations are idempotent.

import { attempt } from "./dom.js";
import { me, uuid } from "./page.js";
import { AGAIN, Emitter, PASSING } from "./wire.js";

/**
 * Prefix of the keys in localStorage. Each entry has its own key, so that windows that write at the same time do not
 * overwrite each other's entries.
 */
const KEY = `parlor.outbox.${me?.uuid}.`;

/** Fields of the request for each operation. */
const FRAMES = {
  send: ({ room, uuid: id, content, reply, at }) => ({ room, uuid: id, content, reply_to: reply?.id ?? null, sent_at: at }),
  edit: ({ message, content }) => ({ message, content }),
  delete: ({ message }) => ({ message }),
  react: ({ message, emoji, on }) => ({ message, emoji, on }),
};

/** Emits "changed", "sent" (the message as it is on the server) and "refused" ({ change, code }: it was dropped). */
export class Outbox extends Emitter {
  #wire;
  #entries = load();
  #busy = false;

  constructor(wire) {
    super();
    this.#wire = wire;
    wire.on("online", () => this.#flush());
    // Another window has changed the queue.
    addEventListener("storage", ({ key, newValue }) => key?.startsWith(KEY) && this.#hear(key.slice(KEY.length), newValue));
  }

  get size() {
    return this.#entries.length;
  }

  /**
   * Returns the entries of a room to display: messages, and edits that were refused: { uuid, op, content, reply, at,
   * error }.
   */
  of(room) {
    return this.#entries.filter((entry) => entry.room === room && (entry.op === "send" || entry.error));
  }

  /** Returns the queued edits, deletions and reactions, in order: { op, message, … }. */
  changes() {
    return this.#entries.filter((entry) => entry.op !== "send" && !entry.error && !entry.done);
  }

  add(room, content, reply) {
    this.#add({ op: "send", room, content, reply });
  }

  /** Queues a change of a message: "edit" with { content }, "delete", or "react" with { emoji, on }. */
  change(op, room, message, fields) {
    this.#add({ op, room, message, ...fields });
  }

  #add(fields) {
    // Times are unique, so that sorting by time keeps the order.
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

  /** Drops an entry that the server is known to have. */
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

  /** Takes over changes of another window's entry. If that window closes before sending it, this one does. */
  #hear(id, json) {
    this.#forget(id);
    const entry = parse(json);
    if (!entry) return;
    this.#entries = [...this.#entries, entry].sort(byTime);
    this.emit("changed");
    setTimeout(() => this.#flush(), AGAIN);
  }

  /** Sends one entry after the other. An entry that was refused waits for a retry and does not block the others. */
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

  /**
   * Handles a refusal. A text is kept for a retry; a deletion or reaction is dropped, because it is easily repeated.
   */
  #refuse(entry, code) {
    if (typeof entry.content === "string") return this.#mark(entry.uuid, code);
    this.discard(entry.uuid);
    this.emit("refused", { change: entry, code });
  }
}

const byTime = (one, other) => one.at.localeCompare(other.at);

// If nothing can be stored, the queue lives as long as the page.
function load() {
  const kept = attempt(() => Object.entries(localStorage), []).filter(([key]) => key.startsWith(KEY));
  return kept.map(([, json]) => parse(json)).filter(Boolean).sort(byTime);
}

/** Parses a stored entry; null if it is invalid. */
function parse(json) {
  const entry = attempt(() => JSON.parse(json));
  if (!entry) return null;
  // Earlier versions stored only messages.
  entry.op ??= "send";
  const written = entry.op === "send" || entry.op === "edit" ? [entry.content] : [];
  const isText = [entry.uuid, entry.at, ...written].every((text) => typeof text === "string");
  return isText && entry.op in FRAMES && !Number.isNaN(Date.parse(entry.at)) ? entry : null;
}

const save = (entry) => attempt(() => localStorage.setItem(KEY + entry.uuid, JSON.stringify(entry)));

const drop = (id) => attempt(() => localStorage.removeItem(KEY + id));
