// The page's one WebSocket: it connects, comes back, asks and hears. Knows nothing of rooms.

import { attempt } from "./dom.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
/** How often it makes sure that the other end is still there, and how long it waits for an answer. */
const BEAT = 25_000;
const PATIENCE = 8_000;

/** Refusals after which another try may work by itself, and when that is made, milliseconds. */
export const PASSING = new Set(["limited", "busy", "internal"]);
export const AGAIN = 1500;

export class Emitter {
  #listeners = new Map();

  on(name, listener) {
    const list = this.#listeners.get(name) ?? [];
    this.#listeners.set(name, [...list, listener]);
  }

  emit(name, data) {
    for (const listener of this.#listeners.get(name) ?? []) {
      // One that cannot cope with what it is told does not keep it from the others.
      try {
        listener(data);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

/**
 * Emits the server's events by their names, "online" and "offline" (the connection is there or lost), "alive" (it was
 * looked after, and is there), "ended" (the session is over) and "replaced" (it is another account's now).
 */
export class Wire extends Emitter {
  #address;
  #socket = null;
  #asked = new Map();
  #number = 0;
  #tries = 0;
  #timer = 0;
  #beat = 0;
  /** Whether the server has said welcome on this connection. */
  ready = false;
  #me;

  constructor(address, me) {
    super();
    this.#me = me;
    const url = new URL(address, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    this.#address = url.href;
    addEventListener("online", () => this.#hurry());
    addEventListener("offline", () => this.ready && this.#check());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
    addEventListener("pagehide", () => this.#socket?.close());
    addEventListener("pageshow", (event) => event.persisted && this.#hurry());
  }

  start() {
    clearTimeout(this.#timer);
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    socket.onmessage = ({ data }) => socket === this.#socket && this.#hear(attempt(() => JSON.parse(data), {}));
    socket.onclose = ({ code }) => socket === this.#socket && this.#lost(code);
  }

  /** Asks and waits: resolves with `ok`, rejects with { code, detail }; code "offline" if nobody answers. */
  ask(op, fields) {
    if (!this.ready) return Promise.reject({ code: "offline" });
    const id = ++this.#number;
    const answer = new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
    this.#socket.send(JSON.stringify({ id, op, ...fields }));
    return answer;
  }

  /** Says something that needs no answer. */
  tell(op, fields) {
    if (this.ready) this.#socket.send(JSON.stringify({ op, ...fields }));
  }

  #hear(frame) {
    if (frame.event === "welcome") {
      if (frame.user.id !== this.#me) return this.#replaced();
      this.#welcomed();
    }
    if (frame.event) return this.emit(frame.event, frame);
    const asked = this.#asked.get(frame.re);
    this.#asked.delete(frame.re);
    if (frame.error) asked?.reject(frame.error);
    else asked?.resolve(frame.ok);
  }

  #welcomed() {
    this.ready = true;
    this.#tries = 0;
    this.#beat = setInterval(() => this.#check(), BEAT);
    this.emit("online");
  }

  #replaced() {
    const socket = this.#socket;
    this.#socket = null;
    socket.close();
    this.emit("replaced");
  }

  /** A connection may be dead without a word: who does not answer a ping is gone. */
  #check() {
    const socket = this.#socket;
    const timer = setTimeout(() => socket === this.#socket && this.#lost(0), PATIENCE);
    this.ask("ping", {})
      .then(() => this.emit("alive"), () => {})
      .finally(() => clearTimeout(timer));
  }

  #lost(code) {
    const known = this.ready;
    this.ready = false;
    clearInterval(this.#beat);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    for (const { reject } of this.#asked.values()) reject({ code: "offline" });
    this.#asked.clear();
    if (code === 4001 || code === 4003) return this.emit("ended");
    this.emit("offline");
    if (!known) this.#askWhetherEnded();
    // Spread out, so that a restarted server does not meet everybody at once.
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#tries++) * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => this.start(), wait);
  }

  /** A refused handshake does not say why. */
  async #askWhetherEnded() {
    const response = await fetch("/api/v1/me").catch(() => null);
    if (response?.status !== 401) return;
    clearTimeout(this.#timer);
    this.emit("ended");
  }

  #hurry() {
    if (this.ready) return this.#check();
    if (this.#socket) return;
    this.#tries = 0;
    this.start();
  }
}
