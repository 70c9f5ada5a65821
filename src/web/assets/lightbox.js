// Lightbox: shows a picture or video as large as the window; arrow keys move to the next one.

import { $, $$, fromTemplate } from "./dom.js";

const SHOWN = "a.picture, figure.player > video";

export class Lightbox {
  #log;
  #dialog = fromTemplate("lightbox-template");
  #link = null;

  constructor(log) {
    this.#log = log;
    document.body.append(this.#dialog);
    log.addEventListener("click", (event) => this.#open(event));
    this.#dialog.addEventListener("click", ({ target }) => target.closest("a, video") || this.#dialog.close());
    this.#dialog.addEventListener("keydown", ({ key }) => this.#step({ ArrowLeft: -1, ArrowRight: 1 }[key]));
    this.#dialog.addEventListener("close", () => this.#closed());
    // The browser's Back button closes it.
    addEventListener("popstate", () => this.#dialog.close());
    this.#dialog.addEventListener("close", () => $("video", this.#dialog).pause());
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
    const links = $$(SHOWN, this.#log);
    const next = by && links[links.indexOf(this.#link) + by];
    if (next) this.#show(next);
  }

  #show(link) {
    this.#link = link;
    const film = $("video", this.#dialog);
    const isFilm = link.matches("video");
    $("picture", this.#dialog).hidden = isFilm;
    film.hidden = !isFilm;
    film.pause();
    if (isFilm) return this.#showFilm(film, link);
    const image = $("img", this.#dialog);
    const small = $("img", link);
    // First frame for readers who stopped the animation.
    const [still, shown] = [$("source", link), $("source", this.#dialog)];
    shown.srcset = still?.srcset ?? "";
    shown.media = still?.media ?? "not all";
    // Sets the final proportions before the picture has loaded.
    image.width = small.width;
    image.height = small.height;
    image.alt = small.alt;
    image.src = link.href;
    this.#name(small.alt, link.href);
  }

  #showFilm(film, player) {
    player.pause();
    film.src = player.src;
    film.setAttribute("aria-label", player.getAttribute("aria-label"));
    this.#name(player.getAttribute("aria-label"), player.src);
  }

  #name(name, href) {
    $("a", this.#dialog).href = href;
    $("span", this.#dialog).textContent = name;
  }
}
