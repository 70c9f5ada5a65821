// Autocomplete in the composer: people after "@", emoji after ":". The focus stays in the text field.

import { $, isComposing, make, setFace } from "./dom.js";
import { findEmoji, emojiOf } from "./emoji.js";
import { get, me, nameOf, page, say } from "./page.js";
import { nameKey } from "./text.js";

const MOST = 8;
/** Members loaded per request, and in total. */
const PIECE = 200;
const MEMBERS_MAX = 1000;

export class Complete {
  #field;
  #list = $("#suggestions");
  #items = [];
  #chosen = 0;
  /** Start of the text being completed. */
  #from = 0;
  #members = null;

  constructor(field) {
    this.#field = field;
    field.addEventListener("input", () => this.#look());
    field.addEventListener("keydown", (event) => this.#key(event), { capture: true });
    field.addEventListener("blur", () => this.close());
    this.#list.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      const place = this.#items.findIndex((item) => item.node.contains(event.target));
      if (place >= 0) this.#take(place);
    });
  }

  close() {
    this.#items = [];
    this.#list.hidden = true;
    this.#list.replaceChildren();
    this.#field.removeAttribute("aria-activedescendant");
  }

  async #look() {
    const { value, selectionStart: caret } = this.#field;
    const before = value.slice(0, caret);
    const emoji = /(?:^|[\s(])(:[\w+-]{2,})(:?)$/.exec(before);
    const person = /(?:^|[^\p{L}\p{N}_])(@[^@\n]{0,40})$/u.exec(before);
    if (emoji) this.#offerEmoji(emoji[1].slice(1), caret, emoji[2]);
    else if (person) await this.#offerPeople(person[1].slice(1), caret);
    else this.close();
  }

  #offerEmoji(query, caret, closed) {
    this.#from = caret - query.length - 1 - closed.length;
    const exact = emojiOf(query.toLowerCase());
    if (closed) return exact ? this.#insert(exact) : this.close();
    this.#show(findEmoji(query).slice(0, MOST).map(([name, sign]) => ({ insert: `${sign} `, sign, name: `:${name}:` })));
  }

  async #offerPeople(query, caret) {
    const members = await (this.#members ??= loadMembers());
    if (this.#field.selectionStart !== caret) return;
    this.#from = caret - query.length - 1;
    const key = nameKey(query);
    const fits = ({ username, display_name }) =>
      nameKey(username).startsWith(key) || nameKey(display_name).split(" ").some((word) => word.startsWith(key));
    const people = members.filter(fits).slice(0, MOST);
    const items = people.map((person) => ({ insert: `@${person.username} `, person, name: nameOf(person), more: person.username }));
    if (page.room.calls && page.room.kind !== "direct" && key && "room".startsWith(key)) {
      items.push({ insert: "@room ", sign: "#", name: "@room", more: say("mention_room") });
    }
    this.#show(items);
  }

  #show(items) {
    if (!items.length) return this.close();
    this.#items = items.map((item, place) => ({ ...item, node: optionOf(item, place) }));
    this.#list.replaceChildren(...this.#items.map(({ node }) => node));
    this.#list.hidden = false;
    this.#choose(0);
  }

  #choose(place) {
    this.#chosen = (place + this.#items.length) % this.#items.length;
    this.#items.forEach(({ node }, at) => node.setAttribute("aria-selected", String(at === this.#chosen)));
    const { node } = this.#items[this.#chosen];
    this.#field.setAttribute("aria-activedescendant", node.id);
    node.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    if (!this.#items.length || isComposing(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#choose(this.#chosen + step);
    else if (event.key === "Enter" || event.key === "Tab") this.#take(this.#chosen);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #take(place) {
    this.#insert(this.#items[place].insert);
  }

  #insert(text) {
    this.close();
    this.#field.setRangeText(text, this.#from, this.#field.selectionStart, "end");
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function optionOf({ person, sign, name, more }, place) {
  const face = make("span", "suggested-sign", sign ?? "");
  if (person) setFace(face, person.display_name, person.id, "person", person.avatar_url);
  face.setAttribute("aria-hidden", "true");
  const node = make("li", "suggestion", face, make("bdi", "suggested-name", name));
  if (more && more !== name) node.append(make("bdi", "quiet", more));
  node.id = `suggestion-${place}`;
  node.setAttribute("role", "option");
  return node;
}

async function loadMembers() {
  const members = [];
  try {
    for (let more = true; more && members.length < MEMBERS_MAX; ) {
      const after = members.at(-1)?.id ?? 0;
      const piece = await get(`rooms/${page.room.id}/members?limit=${PIECE}&after=${after}`);
      members.push(...piece.items.map(({ person }) => person));
      more = piece.more;
    }
  } catch {
    // Members loaded so far can still be mentioned.
  }
  return members.filter(({ id, deleted }) => !deleted && id !== me.id);
}
