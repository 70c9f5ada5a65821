// A room's messages on the page: in order, each once, the newest change of each; blocks, days, the line before what is
// new. A bounded piece of the history: `older` and `newer` say whether there is more on either side. Knows nothing of how
// messages come.

import { $, $$, dayOf, fromTemplate, onNewDay, setText } from "./dom.js";
import { adopt, build, dayItem, dayName, fill } from "./message.js";
import { say } from "./page.js";
import { cut } from "./text.js";

/** Messages of one person within this time are one block; the server does the same. */
const BLOCK = 5 * 60_000;
/** How much of a message is quoted; the server does the same. */
const HEAD = 140;
/** No more than this is on the page. */
const KEEP = 300;

export class Timeline {
  log = $("#log");
  #list = $("#messages");
  #line = $("#new-line");
  #newer = false;
  /** The message that was shown last because somebody asked for it. */
  #lit = null;
  /** The message before the oldest one: how that one is dressed does not change when more comes above it. */
  #above = null;
  /** Sorted by id: { id, change, sender, name, at, node, text, own, deleted, day }. */
  entries = [];
  older;
  /** The newest message that was heard of, on the page or not. */
  latest;
  otherRead;
  /** Shows on a message what the server has not confirmed. */
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

  /** The last message of which at least half is in sight. */
  get lastSeen() {
    const edge = this.log.getBoundingClientRect().bottom;
    const middle = ({ top, height }) => top + height / 2;
    return this.entries.findLast(({ node }) => middle(node.getBoundingClientRect()) < edge)?.id ?? 0;
  }

  /** The first message in sight, and how far below the edge it begins. */
  get place() {
    const node = this.#firstVisible();
    return node && { id: Number(node.dataset.id), top: this.#topOf(node) };
  }

  /** Brings a message of the page to where `place` said that it was. */
  putAt(id, top) {
    const entry = this.find(id);
    if (entry) this.log.scrollTop += this.#topOf(entry.node) - top;
  }

  #topOf(node) {
    return node.getBoundingClientRect().top - this.log.getBoundingClientRect().top;
  }

  /** How many messages of others there are on the page after one message and up to another. */
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

  /** Takes messages as they come, new or changed; those beyond the ends are left to the history. */
  upsert(messages) {
    // Where nothing older is left, an older one is late: what I sent is answered before what I missed is told.
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
      // What came meanwhile is in the next page.
      this.newer = more || this.newest < this.latest;
      this.#cutOldest();
    });
  }

  /** Shows another piece of the history. */
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

  /** Takes a piece that begins where nothing older is on the page. */
  #fill(messages, older) {
    const held = older && messages.length > 1 ? 1 : 0;
    this.#above = held ? { sender: messages[0].sender.id, at: messages[0].created_at } : null;
    this.older = older;
    messages.slice(held).forEach((message) => this.#put(message));
  }

  /** Brings a message of the page into sight; answers whether it is there. */
  reveal(id) {
    const entry = this.find(id);
    if (!entry) return false;
    entry.node.scrollIntoView({ block: "center" });
    entry.node.focus({ preventScroll: true });
    this.#lit?.classList.remove("lit");
    this.#lit = entry.node;
    // Read out, so that it begins anew on the same message too.
    void this.#lit.offsetWidth;
    this.#lit.classList.add("lit");
    return true;
  }

  /** Shows a message of the page as the server has it. */
  restore(message) {
    const entry = this.find(message.id);
    if (entry) this.#keepPlace(() => this.#change(entry, message));
  }

  /** The other person of a direct room has read up to there. */
  setOtherRead(id) {
    this.otherRead = id;
    for (const entry of this.entries) entry.node.classList.toggle("read", entry.own && entry.id <= id);
  }

  get hasLine() {
    return this.#line !== null;
  }

  /** Draws the line before a message that nobody here has seen. */
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

  /** What was quoted of it changes too. */
  #change(entry, message) {
    fill(entry, message);
    this.overlay(entry);
    const words = message.deleted_at ? say("deleted_message") : cut(message.content, HEAD);
    for (const text of $$(`.quote[data-to="${entry.id}"] .quote-text`, this.#list)) setText(text, words);
  }

  #lineBefore({ node }) {
    return this.#line && node.previousElementSibling === this.#line ? this.#line : null;
  }

  /** Block or new block, day or same day. */
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

  /** Changes the list without reading anything of it out: it is no news. */
  #quietly(change) {
    this.log.setAttribute("aria-live", "off");
    this.#keepPlace(change);
    requestAnimationFrame(() => this.log.setAttribute("aria-live", "polite"));
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

  /** What is far from where one reads leaves the page; scrolling brings it back. */
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
