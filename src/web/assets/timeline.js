// A room's messages on the page: in order, each once, the newest change of each; blocks, days, the line before what is
// new. Knows nothing of how they come.

import { $, dayOf, daysAgo, fromTemplate, longDay, setClock, setFace, setText } from "./dom.js";
import { me, nameOf, say } from "./page.js";

/** Messages of one person within this time are one block; the server does the same. */
const BLOCK = 5 * 60_000;
/** More than this is not kept while one looks at the newest. */
const KEEP = 400;

export class Timeline {
  log = $("#log");
  #list = $("#messages");
  #line = $("#new-line");
  /** Sorted by id: { id, change, sender, at, node, text, own, deleted, day }. */
  entries = [];
  otherRead;

  constructor(otherRead) {
    this.otherRead = otherRead;
    this.entries = [...this.#list.querySelectorAll(".message")].map(adopt);
    this.entries.forEach((_, place) => this.#dress(place));
    if (this.#line) this.#line.scrollIntoView({ block: "center" });
  }

  get atBottom() {
    return this.log.scrollTop > -60;
  }

  get oldest() {
    return this.entries[0]?.id ?? 0;
  }

  get newest() {
    return this.entries.at(-1)?.id ?? 0;
  }

  /** The newest change that is held. */
  get change() {
    return this.entries.reduce((most, entry) => Math.max(most, entry.change), 0);
  }

  toBottom() {
    this.log.scrollTop = 0;
  }

  find(id) {
    return this.entries[this.#place(id)];
  }

  entryOf(node) {
    return this.find(Number(node?.closest(".message")?.dataset.id));
  }

  /** Takes messages, new or changed; older ones than are held are left to the history. */
  upsert(messages) {
    const fresh = messages.filter((message) => !(this.entries.length && message.id < this.oldest));
    this.#keepPlace(() => fresh.forEach((message) => this.#put(message)));
    this.#trim();
  }

  /** Takes a page of older messages. */
  prepend(messages) {
    // They are no news: nothing of them is read out.
    this.log.setAttribute("aria-live", "off");
    this.#keepPlace(() => messages.forEach((message) => this.#put(message)));
    requestAnimationFrame(() => this.log.setAttribute("aria-live", "polite"));
  }

  clear() {
    this.entries = [];
    this.#line = null;
    this.#list.replaceChildren();
  }

  /** The other person of a direct room has read up to there. */
  setOtherRead(id) {
    this.otherRead = id;
    for (const entry of this.entries) entry.node.classList.toggle("read", entry.own && entry.id <= id);
  }

  /** Draws the line before a message that nobody here has seen. */
  drawLine(id) {
    const entry = this.find(id);
    if (!entry) return;
    this.#line ??= fromTemplate("line-template");
    entry.node.before(this.#line);
    this.#dress(this.entries.indexOf(entry));
  }

  removeLine() {
    const next = this.#line?.nextElementSibling;
    this.#line?.remove();
    this.#line = null;
    const place = this.entries.findIndex(({ node }) => node === next);
    if (place >= 0) this.#dress(place);
  }

  get hasLine() {
    return this.#line !== null;
  }

  /** Where an id is, or -1. */
  #place(id) {
    const place = this.#slot(id);
    return this.entries[place]?.id === id ? place : -1;
  }

  /** Where an id is or belongs. */
  #slot(id) {
    let [low, high] = [0, this.entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle].id < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #put(message) {
    const place = this.#slot(message.id);
    const known = this.entries[place];
    if (known?.id === message.id) {
      if (message.change_id > known.change) fill(known, message);
      return;
    }
    const entry = fill({ node: fromTemplate("message-template") }, message);
    entry.node.classList.toggle("read", entry.own && entry.id <= this.otherRead);
    if (known) (known.day ?? this.#lineBefore(known) ?? known.node).before(entry.node);
    else this.#list.append(entry.node);
    this.entries.splice(place, 0, entry);
    this.#dress(place);
    if (known) this.#dress(place + 1);
  }

  #lineBefore({ node }) {
    return node.previousElementSibling === this.#line ? this.#line : null;
  }

  /** Block or new block, day or same day. */
  #dress(place) {
    const entry = this.entries[place];
    const before = this.entries[place - 1];
    const newDay = !before || dayOf(before.at) !== dayOf(entry.at);
    if (newDay !== Boolean(entry.day)) {
      entry.day?.remove();
      entry.day = newDay ? dayItem(entry.at) : null;
      if (newDay) (this.#lineBefore(entry) ?? entry.node).before(entry.day);
    }
    const near = before && before.sender === entry.sender && Date.parse(entry.at) - Date.parse(before.at) < BLOCK;
    entry.node.classList.toggle("follows", Boolean(near) && !newDay && !this.#lineBefore(entry));
  }

  /** Does something to the list without moving what somebody reads. */
  #keepPlace(change) {
    if (this.atBottom) {
      change();
      this.toBottom();
      return;
    }
    const anchor = this.#firstVisible();
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (anchor?.isConnected) this.log.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  #firstVisible() {
    const top = this.log.getBoundingClientRect().top;
    let [low, high] = [0, this.entries.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle].node.getBoundingClientRect().bottom < top) low = middle + 1;
      else high = middle;
    }
    return this.entries[low]?.node;
  }

  /** Old messages leave the page while nobody looks at them; scrolling up brings them back. */
  #trim() {
    if (!this.atBottom || this.entries.length <= KEEP) return;
    for (const { node, day } of this.entries.splice(0, this.entries.length - KEEP / 2)) {
      day?.remove();
      node.remove();
    }
    this.#dress(0);
    this.log.dispatchEvent(new Event("trimmed"));
  }
}

/** Takes over what the server wrote. */
function adopt(node) {
  const time = $("time", node);
  setClock(time, time.dateTime);
  return {
    id: Number(node.dataset.id),
    change: Number(node.dataset.change),
    sender: Number(node.dataset.sender),
    at: node.dataset.at,
    own: node.classList.contains("own"),
    deleted: node.classList.contains("gone"),
    text: $(".text", node).textContent,
    node,
    day: null,
  };
}

/** Writes a message into its element. */
function fill(entry, message) {
  const { node } = entry;
  const deleted = Boolean(message.deleted_at);
  const own = message.sender.id === me.id;
  node.id = `m${message.id}`;
  Object.assign(node.dataset, { id: message.id, change: message.change_id, sender: message.sender.id, at: message.created_at });
  node.classList.toggle("own", own);
  node.classList.toggle("gone", deleted);
  node.classList.toggle("edited", Boolean(message.edited_at) && !deleted);
  setText($(".name", node), nameOf(message.sender));
  setFace($(".face", node), message.sender.display_name, message.sender.id);
  setText($(".text", node), deleted ? say("deleted_message") : message.content);
  setClock($("time", node), message.created_at);
  return Object.assign(entry, {
    id: message.id,
    change: message.change_id,
    sender: message.sender.id,
    at: message.created_at,
    text: message.content,
    own,
    deleted,
    day: entry.day ?? null,
  });
}

function dayItem(iso) {
  const item = document.createElement("li");
  const words = document.createElement("span");
  item.className = "day";
  words.textContent = [say("today"), say("yesterday")][daysAgo(iso)] ?? longDay(iso);
  item.append(words);
  return item;
}
