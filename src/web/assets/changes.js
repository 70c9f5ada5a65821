// Optimistic display of edits, deletions and reactions that the server has not confirmed yet, with a mark.

import { $ } from "./dom.js";
import { showDeletion, showEdit, showReaction } from "./message.js";
import { get, page, say } from "./page.js";
import { reasonOf } from "./pending.js";
import { toast } from "./toast.js";

export class Changes {
  #outbox;
  #timeline;

  constructor(outbox, timeline) {
    this.#outbox = outbox;
    this.#timeline = timeline;
    timeline.overlay = (entry) => this.#show(entry);
    outbox.on("sent", ({ id }) => timeline.find(id)?.node.classList.remove("waiting"));
    outbox.on("changed", () => this.#showAll());
    outbox.on("refused", ({ change, code }) => change.room === page.room.id && this.#refused(change, code));
    this.#showAll();
  }

  #showAll() {
    const changed = new Set(this.#outbox.changes().map(({ message }) => message));
    for (const entry of this.#timeline.entries) {
      if (changed.has(entry.id)) this.#show(entry);
      // Its change left the queue without an answer in this window: refused, or sent by another window.
      else if (entry.node.classList.contains("waiting")) this.#renew(entry.id);
    }
  }

  /** Applies the queued changes to a message, in order. */
  #show(entry) {
    const changes = this.#outbox.changes().filter(({ message }) => message === entry.id);
    entry.node.classList.toggle("waiting", changes.length > 0);
    for (const { op, content, emoji, on } of changes) {
      if (op === "edit") showEdit(entry, content);
      if (op === "delete") showDeletion(entry);
      if (op === "react") showReaction(entry, emoji, on);
    }
  }

  /** Shows a message as it is on the server. */
  async #renew(id) {
    this.#timeline.find(id)?.node.classList.remove("waiting");
    const message = await get(`messages/${id}`).catch(() => null);
    if (message) this.#timeline.restore(message);
    return message;
  }

  async #refused({ op, message }, code) {
    const now = await this.#renew(message);
    // The message is already deleted, so a refused deletion is no error.
    if (op === "delete" && now?.deleted_at) return;
    toast(say("undone", { why: reasonOf({ error: code }) }));
  }
}
