// WebSocket connection of the page: connects, reconnects, sends requests and emits events. Independent of rooms.

import { attempt } from "./dom.js";

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
/** Interval between two pings, and the wait for the answer, milliseconds. */
const BEAT = 25_000;
const PATIENCE = 8_000;

/** Error codes after which a retry may succeed, and the wait before it, milliseconds. */
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
      // A listener that throws does not keep the event from the others.
      try {
        listener(data);
      } catch (error) {
        reportError(error);
      }
    }
  }
}

/**
 * Emits the server's events by name, "online" and "offline" (connected, disconnected), "alive" (a ping was answered),
 * "ended" (the session is over) and "replaced" (the browser is logged in to another account).
 */
export class Wire extends Emitter {
  #address;
  #socket = null;
  #asked = new Map();
  #number = 0;
  #tries = 0;
  #timer = 0;
  #beat = 0;
  /** Whether the server has sent `welcome` on this connection. */
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

  /** Sends a request: resolves with `ok`, rejects with { code, detail }; code "offline" without a connection. */
  ask(op, fields) {
    if (!this.ready) return Promise.reject({ code: "offline" });
    const id = ++this.#number;
    const answer = new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
    this.#socket.send(JSON.stringify({ id, op, ...fields }));
    return answer;
  }

  /** Sends a frame that needs no answer. */
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

  /** Pings the server. A connection can be dead without a close; if the answer is late, it counts as lost. */
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
    // Randomized, so that clients do not all return to a restarted server at the same time.
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#tries++) * (0.5 + Math.random() / 2);
    this.#timer = setTimeout(() => this.start(), wait);
  }

  /** Asks whether the session has ended, because a refused handshake has no reason. */
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
