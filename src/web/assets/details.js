// Live updates of the room details page: members, roles, presence. The server renders the page; this replaces changed
// parts by a newly rendered version.

import { $ } from "./dom.js";

/** Changes within this time are fetched together, milliseconds. */
const TOGETHER = 400;

export class Details {
  #room;
  /** The room's id, once it is known. */
  #known;
  #timer = 0;

  constructor(wire, rooms) {
    const uuid = /^\/conversations\/([0-9a-f-]{36})$/.exec(location.pathname)?.[1];
    if (!uuid || location.search) return;
    this.#room = () => [...rooms.all.values()].find((room) => room.uuid === uuid)?.id;
    for (const name of ["joined", "left", "member_changed", "presence", "room_changed"]) {
      wire.on(name, (event) => (event.room?.id ?? event.room) === this.#room() && this.#soon());
    }
    // After leaving or deleting the room by a form, the browser is already navigating away.
    let leaving = false;
    addEventListener("submit", () => (leaving = true));
    rooms.on("gone", ({ room }) => room === this.#known && !leaving && location.reload());
    rooms.on("changed", () => (this.#known ??= this.#room()));
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#renew(), TOGETHER);
  }

  async #renew() {
    const response = await fetch(location.href).catch(() => null);
    if (!response?.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of ["#members > .cards", ".bar h1", ".bar-line"]) {
      const [here, there] = [$(part), $(part, fresh)];
      if (here && there) liken(here, there);
    }
  }
}

/**
 * Makes an element equal to another with as few changes as possible, so that nothing is replaced that is about to be
 * pressed.
 */
function liken(here, there) {
  if (here.isEqualNode(there)) return;
  const isSame = here.nodeName === there.nodeName && here.childNodes.length === there.childNodes.length;
  if (here.nodeType !== Node.ELEMENT_NODE || !isSame) {
    const busy = here.contains(document.activeElement) || (here.querySelector?.("details[open]") ?? false);
    if (!busy) here.replaceWith(document.adoptNode(there));
    return;
  }
  for (const name of new Set([...here.getAttributeNames(), ...there.getAttributeNames()])) {
    if (name === "open") continue;
    if (there.hasAttribute(name)) here.setAttribute(name, there.getAttribute(name));
    else here.removeAttribute(name);
  }
  const wanted = [...there.childNodes];
  [...here.childNodes].forEach((child, place) => liken(child, wanted[place]));
}
