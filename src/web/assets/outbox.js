// What I wrote and the server has not confirmed. It survives a reload, and goes out once, in order: each message keeps the
// uuid it got before its first try, and the server takes the same uuid only once.

import { me, uuid } from "./page.js";
import { Emitter } from "./wire.js";

const KEY = `parlor.outbox.${me.uuid}`;
/** Refusals after which another try may work by itself. */
const PASSING = new Set(["limited", "busy", "internal"]);
const AGAIN = 1500;

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
    addEventListener("storage", ({ key }) => {
      if (key !== KEY) return;
      this.#entries = load();
      this.emit("changed");
    });
  }

  /** What waits in a room: { uuid, content, reply, at, error }. */
  of(room) {
    return this.#entries.filter((entry) => entry.room === room);
  }

  add(room, content, reply) {
    this.#entries.push({ uuid: uuid(), room, content, reply, at: new Date().toISOString(), error: null });
    this.#changed();
    this.#flush();
  }

  retry(id) {
    this.#entries.forEach((entry) => entry.uuid === id && (entry.error = null));
    this.#changed();
    this.#flush();
  }

  discard(id) {
    this.#entries = this.#entries.filter((entry) => entry.uuid !== id);
    this.#changed();
  }

  /** The server has it, however we know. */
  confirm(id) {
    if (this.#entries.some((entry) => entry.uuid === id)) this.discard(id);
  }

  #changed() {
    save(this.#entries);
    this.emit("changed");
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
      const known = this.#entries.find((one) => one.uuid === entry.uuid);
      if (known) known.error = code;
      this.#changed();
      return true;
    }
  }
}

// Where nothing may be stored, the outbox lives as long as the page.
function load() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? [];
  } catch {
    return [];
  }
}

function save(entries) {
  try {
    if (entries.length) localStorage.setItem(KEY, JSON.stringify(entries));
    else localStorage.removeItem(KEY);
  } catch {
    // Full or forbidden.
  }
}
