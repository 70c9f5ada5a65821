// Menu of a message and emoji picker; on phones both are at the bottom of the screen. Independent of the actions
// themselves.

import { $, $$, isComposing, make } from "./dom.js";
import { EMOJI, findEmoji, QUICK } from "./emoji.js";
import { say } from "./page.js";

const GAP = 8;

export class Menu {
  #menu = $("#menu");
  #palette = $("#palette");
  #query = $("#emoji-query");
  #grid = $("#emoji");
  #entry = null;
  #tell;

  /** `tell` is called with the message's entry, the action, and the emoji if any. */
  constructor(tell) {
    this.#tell = tell;
    $("#quick").prepend(...QUICK.map(emojiButton));
    this.#query.addEventListener("input", () => this.#fill());
    this.#query.addEventListener("keydown", (event) => this.#first(event));
    for (const popover of [this.#menu, this.#palette]) {
      popover.addEventListener("click", ({ target }) => this.#choose(target.closest("button")));
      popover.addEventListener("keydown", (event) => this.#move(event, popover));
      popover.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#left(popover));
    }
  }

  open(entry, allowed) {
    this.#entry = entry;
    for (const button of $$("[data-do]", this.#menu)) button.hidden = !allowed[button.dataset.do];
    $("#quick").hidden = !allowed.react;
    this.#show(this.#menu);
    $("button:not([hidden])", $("#quick").hidden ? $("#deeds") : $("#quick")).focus();
  }

  openPalette(entry) {
    this.#entry = entry;
    this.#query.value = "";
    this.#fill();
    this.#show(this.#palette);
    this.#query.focus();
  }

  /** Shows a popover next to the message, within the window. */
  #show(popover) {
    if (!popover.matches(":popover-open")) popover.showPopover();
    const at = $(".bubble", this.#entry.node).getBoundingClientRect();
    const { width, height } = popover.getBoundingClientRect();
    const left = this.#entry.own ? at.right - width : at.left;
    const below = at.bottom + GAP + height < innerHeight;
    const top = below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - height);
    popover.style.left = `${Math.max(GAP, Math.min(left, innerWidth - width - GAP))}px`;
    popover.style.top = `${Math.max(GAP, Math.min(top, innerHeight - height - GAP))}px`;
  }

  #choose(button) {
    if (!button) return;
    const { emoji, do: what } = button.dataset;
    const entry = this.#entry;
    this.#menu.hidePopover();
    this.#palette.hidePopover();
    if (emoji) this.#tell(entry, "react", emoji);
    else this.#tell(entry, what);
  }

  /** Returns the focus to the message if it was inside the popover. */
  #left(popover) {
    if (popover.contains(document.activeElement) || document.activeElement === document.body) {
      this.#entry?.node.focus({ preventScroll: true });
    }
  }

  #fill() {
    const found = this.#query.value ? findEmoji(this.#query.value) : EMOJI;
    this.#grid.replaceChildren(...found.map(emojiButton));
    if (!found.length) this.#grid.append(make("p", "quiet", say("no_emoji")));
  }

  #first(event) {
    if (event.key !== "Enter" || isComposing(event)) return;
    event.preventDefault();
    this.#choose($("button", this.#grid));
  }

  /** Arrow keys move between buttons. */
  #move(event, popover) {
    const buttons = $$("button:not([hidden])", popover).filter((button) => button.checkVisibility());
    const at = buttons.indexOf(document.activeElement);
    const row = popover === this.#palette ? columns(buttons) : 1;
    const step = { ArrowDown: row, ArrowUp: -row, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || (at < 0 && event.key !== "ArrowDown")) return;
    event.preventDefault();
    if (popover === this.#palette && at + step < 0) return this.#query.focus();
    buttons[at < 0 ? 0 : Math.max(0, Math.min(at + step, buttons.length - 1))]?.focus();
  }
}

/** Returns the number of buttons in the first row. */
function columns(buttons) {
  const top = buttons[0]?.offsetTop;
  const next = buttons.findIndex((button) => button.offsetTop !== top);
  return next < 0 ? buttons.length : next;
}

function emojiButton([name, emoji]) {
  const button = make("button", "emoji", emoji);
  button.type = "button";
  button.dataset.emoji = emoji;
  button.title = `:${name}:`;
  button.setAttribute("aria-label", name.replaceAll("_", " "));
  return button;
}
