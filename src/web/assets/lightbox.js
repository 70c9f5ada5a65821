// A picture, as large as the window allows; the arrow keys go on to the next one.

import { $, $$, fromTemplate } from "./dom.js";

export class Lightbox {
  #log;
  #dialog = fromTemplate("lightbox-template");
  #link = null;

  constructor(log) {
    this.#log = log;
    document.body.append(this.#dialog);
    log.addEventListener("click", (event) => this.#open(event));
    this.#dialog.addEventListener("click", ({ target }) => target.closest("a") || this.#dialog.close());
    this.#dialog.addEventListener("keydown", ({ key }) => this.#step({ ArrowLeft: -1, ArrowRight: 1 }[key]));
    this.#dialog.addEventListener("close", () => this.#closed());
    // Back closes it.
    addEventListener("popstate", () => this.#dialog.close());
  }

  #open(event) {
    const link = event.target.closest("a.picture");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.#show(link);
    this.#dialog.showModal();
    history.pushState({ ...history.state, photo: true }, "");
  }

  #closed() {
    if (history.state?.photo) history.back();
    this.#link?.focus({ preventScroll: true });
  }

  #step(by) {
    const links = $$("a.picture", this.#log);
    const next = by && links[links.indexOf(this.#link) + by];
    if (next) this.#show(next);
  }

  #show(link) {
    this.#link = link;
    const image = $("img", this.#dialog);
    const small = $("img", link);
    const original = $("a", this.#dialog);
    // As wide as it will be, before it is there.
    image.width = small.width;
    image.height = small.height;
    image.alt = small.alt;
    image.src = link.href;
    original.href = link.href;
    $("span", this.#dialog).textContent = small.alt;
  }
}
