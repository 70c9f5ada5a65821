// What can be done with a message: one small bar that follows pointer and focus, and the arrow keys.

import { $, fromTemplate } from "./dom.js";
import { page } from "./page.js";

export class Actions {
  #wire;
  #timeline;
  #composer;
  #bar = fromTemplate("actions-template");
  #dialog = $("#delete-dialog");

  constructor(wire, timeline, composer) {
    this.#wire = wire;
    this.#timeline = timeline;
    this.#composer = composer;
    const { log } = timeline;
    log.addEventListener("pointerover", ({ target }) => this.#offer(target));
    log.addEventListener("focusin", ({ target }) => this.#offer(target));
    log.addEventListener("pointerleave", () => this.#bar.matches(":focus-within") || this.#bar.remove());
    log.addEventListener("keydown", (event) => this.#key(event));
    this.#bar.addEventListener("click", ({ target }) => this.#act(target.dataset.do));
  }

  #offer(target) {
    if (this.#bar.contains(target)) return;
    const entry = this.#timeline.entryOf(target);
    const edits = entry?.own && !entry.deleted && page.room.member;
    const deletes = entry && !entry.deleted && (edits || page.room.keeps);
    if (!deletes) return this.#bar.remove();
    $("[data-do=edit]", this.#bar).hidden = !edits;
    const bubble = $(".bubble", entry.node);
    if (this.#bar.parentElement !== bubble) bubble.append(this.#bar);
  }

  async #act(what) {
    const entry = this.#timeline.entryOf(this.#bar);
    if (!entry) return;
    this.#bar.remove();
    if (what === "edit") return this.#composer.edit(entry);
    if (what !== "delete" || !(await this.#isSure())) return;
    const { message } = await this.#wire.ask("delete", { message: entry.id }).catch(() => ({}));
    if (message) this.#timeline.upsert([message]);
    this.#composer.focus();
  }

  #isSure() {
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    return new Promise((resolve) =>
      this.#dialog.addEventListener("close", () => resolve(this.#dialog.returnValue === "yes"), { once: true }),
    );
  }

  /** Up and down from message to message; Escape goes back to writing. */
  #key(event) {
    const { entries, log } = this.#timeline;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.key === "Escape") this.#composer.focus();
    if (!step || event.target.closest(".actions")) return;
    const entry = this.#timeline.entryOf(event.target);
    const next = entry ? entries[entries.indexOf(entry) + step] : step < 0 && entries.at(-1);
    if (!next || (!entry && event.target !== log)) return;
    event.preventDefault();
    next.node.focus({ preventScroll: true });
    next.node.scrollIntoView({ block: "nearest" });
  }
}
