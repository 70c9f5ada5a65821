// Files on their way: one message after the other, with progress, a way to stop and to try again. Each message keeps its
// uuid, so that trying again makes no second one. Files do not survive a reload; the page warns before it goes.

import { attempt } from "./dom.js";
import { csrf, uuid } from "./page.js";
import { AGAIN, Emitter, PASSING } from "./wire.js";

/** Emits "changed", "progress" (an entry) and "sent" (a message). */
export class Uploads extends Emitter {
  #entries = [];
  #running = null;

  constructor(wire) {
    super();
    wire.on("online", () => {
      this.#entries.forEach((entry) => entry.error === "offline" && (entry.error = null));
      this.#next();
    });
    addEventListener("beforeunload", (event) => this.#entries.length && event.preventDefault());
  }

  /** What is on its way to a room: { uuid, content, reply, at, files, progress, error }. */
  of(room) {
    return this.#entries.filter((entry) => entry.room === room);
  }

  add(room, content, reply, files) {
    const at = new Date().toISOString();
    this.#entries.push({ uuid: uuid(), room, content, reply, at, files, progress: 0, error: null });
    this.#changed();
  }

  retry(id) {
    this.#entries.forEach((entry) => entry.uuid === id && (entry.error = null));
    this.#changed();
  }

  discard(id) {
    if (this.#running?.entry.uuid === id) this.#running.request.abort();
    this.#entries = this.#entries.filter((entry) => entry.uuid !== id);
    this.#changed();
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
    request.onloadend = () => this.#ended(entry, request);
    request.open("POST", `/api/v1/rooms/${entry.room}/files`);
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.send(form(entry));
  }

  #ended(entry, { status, responseText }) {
    this.#running = null;
    const answer = attempt(() => JSON.parse(responseText));
    entry.progress = 0;
    if (status === 200 || status === 201) {
      this.emit("sent", answer);
      return this.discard(entry.uuid);
    }
    // A proxy in front of the server refuses without a code.
    const unnamed = status === 413 ? "too_large" : "internal";
    entry.error = status ? (answer?.code ?? unnamed) : "offline";
    if (PASSING.has(entry.error)) setTimeout(() => this.retry(entry.uuid), AGAIN);
    this.#changed();
  }
}

function form({ uuid: id, content, reply, at, files }) {
  const data = new FormData();
  data.append("uuid", id);
  data.append("content", content);
  data.append("sent_at", at);
  if (reply) data.append("reply_to", reply.id);
  for (const file of files) data.append("file", file, file.name || "file");
  return data;
}
