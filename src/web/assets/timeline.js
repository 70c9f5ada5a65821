// Messages of a room on the page: sorted, unique, each in its newest version, with blocks, day separators and the line
// above unread messages. Holds a bounded part of the history; `older` and `newer` say whether there is more on either
// side. Independent of how messages arrive.

import { $, $$, dayOf, fromTemplate, onNewDay, setText } from "./dom.js";
import { adopt, build, dayItem, dayName, fill } from "./message.js";
import { say } from "./page.js";
import { cut } from "./text.js";

/** Messages of one sender within this time form one block, milliseconds; the server uses the same limit. */
const BLOCK = 5 * 60_000;
/** Maximum length of a quote, characters; the server uses the same limit. */
const HEAD = 140;
/** Maximum number of messages on the page. */
const KEEP = 300;

export class Timeline {
  log = $("#log");
  #list = $("#messages");
  #line = $("#new-line");
  #newer = false;
  /** Element highlighted by the last call of `reveal`. */
  #lit = null;
  /**
   * Message before the oldest one, so that the oldest one's block and day do not change when older messages are loaded.
   */
  #above = null;
  /** Sorted by id: { id, change, sender, name, at, node, text, own, deleted, day }. */
  entries = [];
  older;
  /** Id of the newest known message, on the page or not. */
  latest;
  otherRead;
  /** Shows unconfirmed changes on a message. */
  overlay = () => {};

  constructor({ other_read, more, newer, latest }) {
    this.otherRead = other_read;
    this.older = more;
    this.newer = newer;
    this.entries = $$(".message", this.#list).map(adopt);
    if (more && this.entries.length > 1) this.#remove([(this.#above = this.entries.shift())]);
    this.entries.forEach((_, place) => this.#dress(place));
    this.latest = Math.max(latest, this.newest);
    if (this.#line) this.#line.scrollIntoView({ block: "center" });
    onNewDay(() => this.entries.forEach(({ day, at }) => day && setText(day.firstChild, dayName(at))));
  }

  get newer() {
    return this.#newer;
  }

  set newer(newer) {
    this.#newer = newer;
    this.log.toggleAttribute("data-newer", newer);
  }

  get atBottom() {
    return !this.newer && this.log.scrollTop > -60;
  }

  get oldest() {
    return this.entries[0]?.id ?? 0;
  }

  get newest() {
    return this.entries.at(-1)?.id ?? 0;
  }

  /** Id of the last message of which at least half is visible. */
  get lastSeen() {
    const edge = this.log.getBoundingClientRect().bottom;
    const middle = ({ top, height }) => top + height / 2;
    return this.entries.findLast(({ node }) => middle(node.getBoundingClientRect()) < edge)?.id ?? 0;
  }

  /** First visible message, and the distance of its top from the edge. */
  get place() {
    const node = this.#firstVisible();
    return node && { id: Number(node.dataset.id), top: this.#topOf(node) };
  }

  /** Scrolls a message of the page to a position saved from `place`. */
  putAt(id, top) {
    const entry = this.find(id);
    if (entry) this.log.scrollTop += this.#topOf(entry.node) - top;
  }

  #topOf(node) {
    return node.getBoundingClientRect().top - this.log.getBoundingClientRect().top;
  }

  /** Returns the number of other people's messages on the page after one id, up to and including another. */
  countOthers(after, through) {
    return this.entries.filter(({ id, own, deleted }) => id > after && id <= through && !own && !deleted).length;
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

  /** Takes new or changed messages as they arrive. Messages beyond the ends are left to the history. */
  upsert(messages) {
    // If nothing older is left to load, an older message is late: own messages are answered before missed ones arrive.
    const isHere = ({ id }) => this.find(id) || (!this.newer && (!this.older || id > this.oldest));
    const fresh = messages.filter(isHere);
    this.#keepPlace(() => fresh.forEach((message) => this.#put(message)));
    this.latest = messages.reduce((most, { id }) => Math.max(most, id), this.latest);
    if (this.atBottom && this.entries.length > KEEP + 100) this.#cutOldest();
  }

  /** Takes the page before the oldest message. */
  prepend(messages, more) {
    this.#quietly(() => {
      this.#fill(messages, more);
      this.#cutNewest();
    });
  }

  /** Takes the page after the newest message. */
  append(messages, more) {
    this.#quietly(() => {
      messages.forEach((message) => this.#put(message));
      // Messages that arrived meanwhile are in the next page.
      this.newer = more || this.newest < this.latest;
      this.#cutOldest();
    });
  }

  /** Shows another part of the history. */
  replace(messages, older, newer) {
    this.log.setAttribute("aria-live", "off");
    this.entries = [];
    this.#line = null;
    this.#list.replaceChildren();
    this.#fill(messages, older);
    this.newer = newer;
    this.latest = Math.max(this.latest, this.newest);
    requestAnimationFrame(() => this.log.setAttribute("aria-live", "polite"));
  }

  /** Takes a part of the history into an empty list. */
  #fill(messages, older) {
    const held = older && messages.length > 1 ? 1 : 0;
    this.#above = held ? { sender: messages[0].sender.id, at: messages[0].created_at } : null;
    this.older = older;
    messages.slice(held).forEach((message) => this.#put(message));
  }

  /** Scrolls to a message of the page and highlights it; returns whether it is there. */
  reveal(id) {
    const entry = this.find(id);
    if (!entry) return false;
    entry.node.scrollIntoView({ block: "center" });
    entry.node.focus({ preventScroll: true });
    this.#lit?.classList.remove("lit");
    this.#lit = entry.node;
    // Reading a layout property restarts the animation, also on the same message.
    void this.#lit.offsetWidth;
    this.#lit.classList.add("lit");
    return true;
  }

  /** Shows a message of the page as it is on the server. */
  restore(message) {
    const entry = this.find(message.id);
    if (entry) this.#keepPlace(() => this.#change(entry, message));
  }

  /** Sets the read cursor of the other person of a direct room. */
  setOtherRead(id) {
    this.otherRead = id;
    for (const entry of this.entries) entry.node.classList.toggle("read", entry.own && entry.id <= id);
  }

  get hasLine() {
    return this.#line !== null;
  }

  /** Draws the line above the first unread message. */
  drawLine(id) {
    const entry = this.find(id);
    if (!entry) return;
    this.removeLine();
    this.#line = fromTemplate("line-template");
    this.#keepPlace(() => {
      entry.node.before(this.#line);
      this.#dress(this.entries.indexOf(entry));
    });
  }

  removeLine() {
    const next = this.#line?.nextElementSibling;
    this.#line?.remove();
    this.#line = null;
    const place = this.entries.findIndex(({ node }) => node === next);
    if (place >= 0) this.#dress(place);
  }

  /** Returns the index of an id, or -1. */
  #place(id) {
    const place = this.#slot(id);
    return this.entries[place]?.id === id ? place : -1;
  }

  /** Returns the index at which an id is or belongs. */
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
      if (message.change_id > known.change) this.#change(known, message);
      return;
    }
    const entry = build(message);
    this.overlay(entry);
    entry.node.classList.toggle("read", entry.own && entry.id <= this.otherRead);
    if (known) (known.day ?? this.#lineBefore(known) ?? known.node).before(entry.node);
    else this.#list.append(entry.node);
    this.entries.splice(place, 0, entry);
    this.#dress(place);
    if (known) this.#dress(place + 1);
  }

  /** Updates a message, and the quotes of it. */
  #change(entry, message) {
    fill(entry, message);
    this.overlay(entry);
    const words = message.deleted_at ? say("deleted_message") : cut(message.content, HEAD);
    for (const text of $$(`.quote[data-to="${entry.id}"] .quote-text`, this.#list)) setText(text, words);
  }

  #lineBefore({ node }) {
    return this.#line && node.previousElementSibling === this.#line ? this.#line : null;
  }

  /** Sets block and day separator of a message. */
  #dress(place) {
    const entry = this.entries[place];
    const before = place ? this.entries[place - 1] : this.#above;
    const newDay = !before || dayOf(before.at) !== dayOf(entry.at);
    if (newDay !== Boolean(entry.day)) {
      entry.day?.remove();
      entry.day = newDay ? dayItem(entry.at) : null;
      if (newDay) (this.#lineBefore(entry) ?? entry.node).before(entry.day);
    }
    const near = before && before.sender === entry.sender && Date.parse(entry.at) - Date.parse(before.at) < BLOCK;
    entry.node.classList.toggle("follows", Boolean(near) && !newDay && !this.#lineBefore(entry));
  }

  /** Changes the list without announcements by screen readers, because old messages are no news. */
  #quietly(change) {
    this.log.setAttribute("aria-live", "off");
    this.#keepPlace(change);
    requestAnimationFrame(() => this.log.setAttribute("aria-live", "polite"));
  }

  /** Changes the list without moving the visible messages. */
  #keepPlace(change) {
    if (this.atBottom) {
      change();
      this.toBottom();
      return;
    }
    const anchor = this.#firstVisible();
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (!anchor?.isConnected) return;
    const moved = anchor.getBoundingClientRect().top - before;
    if (moved) this.log.scrollTop += moved;
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

  /** Removes messages far from the reading position; scrolling loads them again. */
  #cutOldest() {
    if (this.entries.length <= KEEP) return;
    const gone = this.entries.splice(0, this.entries.length - KEEP);
    this.#above = gone.at(-1);
    this.#remove(gone);
    this.older = true;
    this.#dress(0);
  }

  #cutNewest() {
    if (this.entries.length <= KEEP) return;
    this.#remove(this.entries.splice(KEEP));
    this.newer = true;
  }

  #remove(entries) {
    for (const entry of entries) {
      if (this.#lineBefore(entry)) this.#line = (this.#line.remove(), null);
      entry.day?.remove();
      entry.node.remove();
    }
  }
}
