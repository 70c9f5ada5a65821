// Scroll position, stored per entry of the browser's history, so that Back returns to it.

import { attempt } from "./dom.js";
import { uuid } from "./page.js";

export class Place {
  #timeline;
  #history;
  #key;

  constructor(timeline, past) {
    this.#timeline = timeline;
    this.#history = past;
    const id = history.state?.id ?? uuid();
    history.replaceState({ id }, "");
    this.#key = `parlor.place.${id}`;
    addEventListener("pagehide", () => attempt(() => this.#save()));
  }

  /** Restores the position if the page was reached by Back or Forward. */
  async restore() {
    const [{ type } = {}] = performance.getEntriesByType("navigation");
    if (type !== "back_forward") return;
    const { id, top } = attempt(() => JSON.parse(sessionStorage.getItem(this.#key))) ?? {};
    if (id && (await this.#history.bring(id).catch(() => false))) this.#timeline.putAt(id, top);
  }

  #save() {
    const place = this.#timeline.atBottom ? null : this.#timeline.place;
    if (place) sessionStorage.setItem(this.#key, JSON.stringify(place));
    else sessionStorage.removeItem(this.#key);
  }
}
