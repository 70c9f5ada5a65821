// Tooltip with the people who reacted: on hover, on focus, or on long press.

import { locale, make, setText } from "./dom.js";
import { say } from "./page.js";
import { nameById } from "./people.js";
import { isolated } from "./text.js";

const GAP = 4;
const list = new Intl.ListFormat(locale);

export class Reactors {
  #box = make("p", "reactors");
  #button = null;

  constructor(log) {
    this.#box.id = "reactors";
    this.#box.popover = "manual";
    this.#box.setAttribute("role", "tooltip");
    log.addEventListener("pointerover", ({ target, pointerType }) => pointerType === "mouse" && this.#follow(target));
    log.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && this.hide());
    document.addEventListener("pointerdown", () => this.hide());
    log.addEventListener("focusin", ({ target }) => target.matches(":focus-visible") && this.#follow(target));
    log.addEventListener("focusout", () => this.hide());
    log.addEventListener("keydown", ({ key }) => key === "Escape" && this.hide());
    log.addEventListener("scroll", () => this.hide(), { passive: true });
  }

  #follow(target) {
    const button = target.closest(".reaction");
    if (button) this.show(button);
    else if (!this.#box.contains(target)) this.hide();
  }

  async show(button) {
    if (button === this.#button) return;
    this.hide();
    this.#button = button;
    const text = await who(button);
    // Meanwhile the pointer may have moved on, or the message may have changed.
    if (button !== this.#button || !button.isConnected) return;
    setText(this.#box, text);
    button.after(this.#box);
    button.setAttribute("aria-describedby", this.#box.id);
    this.#box.showPopover();
    this.#place(button.getBoundingClientRect(), this.#box.getBoundingClientRect());
  }

  hide() {
    this.#button?.removeAttribute("aria-describedby");
    this.#button = null;
    this.#box.remove();
  }

  /** Places the box above the reaction, within the window. */
  #place(at, { width, height }) {
    const left = Math.min(at.left, innerWidth - width - GAP);
    const top = at.top - height > GAP ? at.top - height : at.bottom;
    this.#box.style.left = `${Math.max(GAP, left)}px`;
    this.#box.style.top = `${top}px`;
  }
}

/** Returns the names known for the reaction, and the number of further people. */
async function who({ dataset, textContent }) {
  const ids = dataset.people.split(",").filter(Boolean).map(Number);
  const names = (await Promise.all(ids.map(nameById))).map(isolated);
  const more = Number(/\d+$/.exec(textContent.trim())) - ids.length;
  return list.format(more > 0 ? [...names, say("more_people", { n: more })] : names);
}
