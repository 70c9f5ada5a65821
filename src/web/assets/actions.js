// Actions on a message: a toolbar that follows pointer and focus, keyboard shortcuts, and a menu on long press.

import { copy } from "./copy.js";
import { $, fromTemplate } from "./dom.js";
import { Menu } from "./menu.js";
import { page, say } from "./page.js";
import { Reactors } from "./reactors.js";
import { emojiKey } from "./text.js";
import { toast } from "./toast.js";

/** Duration of a long press, milliseconds. */
const LONG = 500;
/** Shortcuts on a focused message. */
const KEYS = { Enter: "more", r: "reply", e: "edit", "+": "react", Delete: "delete" };

export class Actions {
  #outbox;
  #timeline;
  #history;
  #composer;
  #bar = fromTemplate("actions-template");
  #dialog = $("#delete-dialog");
  #menu = new Menu((entry, what, emoji) => this.#do(entry, what, emoji));
  #finger = 0;
  /** Action of the current long press. */
  #held = null;
  #reactors;

  constructor(outbox, timeline, history, composer) {
    this.#outbox = outbox;
    this.#timeline = timeline;
    this.#history = history;
    this.#composer = composer;
    const { log } = timeline;
    this.#reactors = new Reactors(log);
    log.addEventListener("pointerover", ({ target }) => this.#offer(target));
    log.addEventListener("focusin", ({ target }) => this.#offer(target));
    log.addEventListener("pointerleave", () => this.#bar.matches(":focus-within") || this.#bar.remove());
    log.addEventListener("keydown", (event) => this.#key(event));
    log.addEventListener("click", (event) => this.#click(event));
    log.addEventListener("touchstart", ({ target }) => this.#rest(target), { passive: true });
    for (const name of ["touchmove", "touchcancel"]) {
      log.addEventListener(name, () => clearTimeout(this.#finger), { passive: true });
    }
    log.addEventListener("touchend", (event) => this.#lift(event));
  }

  /** Returns which actions are allowed on a message. */
  #allowed({ own, deleted }) {
    const { member, keeps } = page.room;
    const writes = member && this.#composer.open;
    return {
      reply: writes && !deleted,
      react: writes && !deleted,
      edit: writes && own && !deleted,
      delete: !deleted && ((own && member) || keeps),
      copy: !deleted,
      link: true,
      more: true,
    };
  }

  #offer(target) {
    if (this.#bar.contains(target)) return;
    const entry = this.#timeline.entryOf(target);
    if (!entry) return this.#bar.remove();
    const allowed = this.#allowed(entry);
    for (const button of this.#bar.children) button.hidden = !allowed[button.dataset.do];
    const bubble = $(".bubble", entry.node);
    if (this.#bar.parentElement !== bubble) bubble.append(this.#bar);
  }

  #click(event) {
    const quote = event.target.closest(".quote");
    if (quote) {
      event.preventDefault();
      this.#history.show(Number(quote.dataset.to)).catch(() => toast(say("history_failed")));
      return;
    }
    const entry = this.#timeline.entryOf(event.target);
    const { emoji } = event.target.closest(".reaction")?.dataset ?? {};
    const what = event.target.closest("[data-do]")?.dataset.do;
    if (entry && emoji) this.#do(entry, "react", emoji);
    else if (entry && what) this.#do(entry, what);
  }

  /** Starts a long press. Browsers may also report it as a right click. */
  #rest(target) {
    clearTimeout(this.#finger);
    this.#held = null;
    const asked = this.#asked(target);
    if (asked) this.#finger = setTimeout(() => (this.#held = asked)(), LONG);
  }

  /** Returns the action of a long press: on a reaction, showing who reacted; else the menu. */
  #asked(target) {
    const entry = this.#timeline.entryOf(target);
    const reaction = target.closest(".reaction");
    if (reaction) return () => this.#reactors.show(reaction);
    return entry && !target.closest("a, button") ? () => this.#do(entry, "more") : null;
  }

  /** Ends a long press. Browsers report a tap at its end, which would close the menu or react, so that is prevented. */
  #lift(event) {
    clearTimeout(this.#finger);
    if (!this.#held) return;
    event.preventDefault();
    this.#held();
    this.#held = null;
  }

  #do(entry, what, emoji) {
    if (!this.#allowed(entry)[what]) return;
    if (what === "edit") this.#composer.edit(entry);
    if (what === "reply") this.#composer.reply(entry);
    if (what === "copy") this.#copy(entry.text);
    if (what === "link") this.#copy(new URL(`/chat/${page.room.uuid}?at=${entry.id}`, location.href).href);
    if (what === "delete") this.#delete(entry);
    if (what === "more") this.#menu.open(entry, this.#allowed(entry));
    if (what === "react" && !emoji) this.#menu.openPalette(entry);
    if (what === "react" && emoji) this.#react(entry, emoji);
  }

  async #copy(text) {
    toast(say((await copy(text)) ? "copied" : "error_other"));
  }

  #react(entry, emoji) {
    const known = [...$(".reactions", entry.node).children].find((one) => emojiKey(one.dataset.emoji) === emojiKey(emoji));
    const on = known?.getAttribute("aria-pressed") !== "true";
    this.#outbox.change("react", page.room.id, entry.id, { emoji, on });
  }

  async #delete(entry) {
    if (!(await this.#isSure())) return;
    this.#outbox.change("delete", page.room.id, entry.id, {});
    this.#composer.focus();
  }

  #isSure() {
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    return new Promise((resolve) =>
      this.#dialog.addEventListener("close", () => resolve(this.#dialog.returnValue === "yes"), { once: true }),
    );
  }

  /** Arrow keys move between messages; Escape returns to the composer. */
  #key(event) {
    const { entries, log } = this.#timeline;
    const entry = this.#timeline.entryOf(event.target);
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.key === "Escape") this.#composer.focus();
    if (entry?.node === event.target && KEYS[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      return this.#do(entry, KEYS[event.key]);
    }
    if (!step || event.target.closest(".actions")) return;
    const next = entry ? entries[entries.indexOf(entry) + step] : step < 0 && entries.at(-1);
    if (!next || (!entry && event.target !== log)) return;
    event.preventDefault();
    next.node.focus({ preventScroll: true });
    next.node.scrollIntoView({ block: "nearest" });
  }
}
