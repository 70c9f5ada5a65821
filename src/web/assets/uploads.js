// Upload queue of messages with files: sent one after the other, with progress, cancel and retry. Entries are stored in
// the browser until they are sent or discarded, so that every page continues with them. Each keeps its uuid, so that a
// retry creates no second message.

import { attempt } from "./dom.js";
import { csrf, me, uuid } from "./page.js";
import { allKept, change, drop, keep } from "./storage.js";
import { AGAIN, Emitter, PASSING } from "./wire.js";

/**
 * Prefix of the lease keys. A window renews the lease of each of its entries; another window takes over entries with a
 * stale lease. Times in milliseconds.
 */
const LEASE = `parlor.upload.${me?.uuid}.`;
const RENEWED = 20_000;
const STALE = 90_000;
/** Automatic retries after a broken connection, and the longest wait between them, milliseconds. */
const TRIES = 4;
const LONGEST = 60_000;

/** Emits "changed", "progress" (an entry) and "sent" (a message). */
export class Uploads extends Emitter {
  #wire;
  #entries = [];
  #running = null;

  constructor(wire) {
    super();
    this.#wire = wire;
    wire.on("online", () => {
      this.#entries.forEach((entry) => entry.error === "offline" && (entry.error = null));
      this.#next();
    });
    addEventListener("beforeunload", (event) => this.#entries.some(({ kept }) => !kept) && event.preventDefault());
    addEventListener("pagehide", () => this.#pause());
    addEventListener("pageshow", ({ persisted }) => persisted && this.#load());
    // Another window has released an entry; it may have closed.
    addEventListener("storage", ({ key, newValue }) => key?.startsWith(LEASE) && !newValue && this.#loadSoon(AGAIN));
    setInterval(() => this.#entries.forEach(lease), RENEWED);
    this.#load();
  }

  get size() {
    return this.#entries.length;
  }

  /** Returns the entries of a room: { uuid, content, reply, at, files, progress, error, status }. */
  of(room) {
    return this.#entries.filter((entry) => entry.room === room);
  }

  add(room, content, reply, files) {
    const entry = { uuid: uuid(), room, content, reply, files, at: new Date().toISOString(), error: null };
    const held = { ...entry, progress: 0, tries: 0, kept: false };
    lease(entry);
    this.#entries.push(held);
    // If it cannot be stored, the browser asks before the page closes.
    keep("uploads", entry.uuid, entry).then(() => (held.kept = true), () => {});
    this.#changed();
  }

  retry(id) {
    this.#entries.forEach((entry) => entry.uuid === id && Object.assign(entry, { error: null, tries: 0 }));
    this.#changed();
  }

  discard(id) {
    if (this.#running?.entry.uuid === id) this.#stop();
    this.#entries = this.#entries.filter((entry) => entry.uuid !== id);
    drop("uploads", id);
    release(id);
    this.#changed();
  }

  /** Takes over stored entries that no other window has leased. */
  async #load() {
    const found = (await allKept("uploads")).filter(isEntry);
    let later = 0;
    for (const entry of found) {
      if (this.#entries.some((one) => one.uuid === entry.uuid)) continue;
      if (isLeased(entry.uuid)) later = STALE;
      else this.#entries.push({ ...entry, progress: 0, tries: 0, kept: true });
    }
    this.#entries.sort((one, other) => one.at.localeCompare(other.at));
    this.#entries.forEach(lease);
    if (later) this.#loadSoon(later);
    this.#changed();
  }

  #loadSoon(wait) {
    setTimeout(() => this.#load(), wait * (1 + Math.random()));
  }

  /** Stops and releases everything when the page closes; the next page starts over. */
  #pause() {
    this.#stop();
    this.#entries.forEach((entry) => release(entry.uuid));
  }

  #stop() {
    const { request } = this.#running ?? {};
    this.#running = null;
    request?.abort();
  }

  #changed() {
    this.emit("changed");
    this.#next();
  }

  #next() {
    const entry = this.#entries.find((one) => !one.error);
    if (!entry || this.#running) return;
    const request = new XMLHttpRequest();
    this.#running = { entry, request };
    request.upload.onprogress = ({ loaded, total }) => {
      entry.progress = loaded / total;
      this.emit("progress", entry);
    };
    request.onloadend = () => this.#running?.request === request && this.#ended(entry, request);
    request.open("POST", `/api/v1/rooms/${entry.room}/files`);
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.send(form(entry));
  }

  #ended(entry, { status, responseText }) {
    this.#running = null;
    const answer = attempt(() => JSON.parse(responseText));
    entry.progress = 0;
    if ((status === 200 || status === 201) && answer?.room_id) {
      this.emit("sent", answer);
      return this.discard(entry.uuid);
    }
    Object.assign(entry, { error: this.#reason(status, answer?.code), status });
    const isPassing = PASSING.has(entry.error) || (entry.error === "interrupted" && entry.tries < TRIES);
    if (isPassing) this.#again(entry);
    else if (entry.error !== "offline") change("uploads", entry.uuid, { error: entry.error, status });
    this.#changed();
  }

  /** Returns the server's error code, or the likely cause if something else answered. */
  #reason(status, code) {
    if (code) return code;
    if (!status) return this.#wire.ready ? "interrupted" : "offline";
    if (status === 413) return "proxy_limit";
    return [408, 429, 502, 503, 504].includes(status) ? "busy" : "proxy";
  }

  #again(entry) {
    const wait = Math.min(LONGEST, AGAIN * 2 ** entry.tries++);
    setTimeout(() => {
      // Unless the user has decided meanwhile.
      if (entry.error) entry.error = null;
      this.#changed();
    }, wait);
  }
}

const lease = ({ uuid: id }) => attempt(() => localStorage.setItem(LEASE + id, Date.now()));

const release = (id) => attempt(() => localStorage.removeItem(LEASE + id));

const isLeased = (id) => Date.now() - Number(attempt(() => localStorage.getItem(LEASE + id)) ?? 0) < STALE;

/** Whether a stored entry is valid. */
const isEntry = ({ uuid: id, at, content, files }) =>
  [id, at, content].every((text) => typeof text === "string") && Array.isArray(files);

function form({ uuid: id, content, reply, at, files }) {
  const data = new FormData();
  data.append("uuid", id);
  data.append("content", content);
  data.append("sent_at", at);
  if (reply) data.append("reply_to", reply.id);
  for (const file of files) data.append("file", file, file.name || "file");
  return data;
}
