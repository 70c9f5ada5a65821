// Quick switcher (Ctrl-K or Cmd-K): opens a room or a person by a part of the name.

import { $, isComposing, make, setFace, setText } from "./dom.js";
import { visit } from "./links.js";
import { get, me, nameOf, post, roomName, say } from "./page.js";
import { nameKey } from "./text.js";

const MOST = 12;
/** People are searched after a pause in typing of this length, milliseconds. */
const PAUSE = 150;

export class Switcher {
  #rooms;
  #dialog = build();
  #field = $("input", this.#dialog);
  #list = $("ul", this.#dialog);
  #items = [];
  #chosen = 0;
  #public = null;
  #timer = 0;

  constructor(rooms) {
    this.#rooms = rooms;
    document.body.append(this.#dialog);
    addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      this.#open();
    });
    $(".side-head")?.append(this.#button());
    this.#field.addEventListener("input", () => this.#search());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("click", ({ target }) => this.#go(Number(target.closest("li")?.dataset.place)));
    this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#dialog.close());
  }

  #button() {
    const button = make("button", "tool switch", "Ctrl K");
    button.type = "button";
    button.title = say("switcher");
    button.setAttribute("aria-label", `${say("switcher")}: Ctrl K`);
    button.addEventListener("click", () => this.#open());
    return button;
  }

  async #open() {
    if (this.#dialog.open) return;
    this.#field.value = "";
    this.#dialog.showModal();
    this.#show(this.#mine(""));
    this.#public ??= await get("rooms/public?limit=200").then(({ items }) => items, () => []);
  }

  #search() {
    clearTimeout(this.#timer);
    const query = this.#field.value.trim();
    const here = [...this.#mine(query), ...this.#others(query)];
    this.#show(here);
    if (query) this.#timer = setTimeout(() => this.#addPeople(query, here), PAUSE);
  }

  #mine(query) {
    const key = nameKey(query);
    const mine = [...this.#rooms.all.values()].map((room) => ({ room, name: roomName(room) }));
    const fit = mine.filter(({ name }) => nameKey(name).includes(key));
    const rank = ({ room, name }) => [nameKey(name).startsWith(key) ? 0 : 1, -(room.unread > 0), -(room.last_message?.id ?? 0)];
    fit.sort((a, b) => rank(a).reduce((order, value, place) => order || value - rank(b)[place], 0));
    return fit.map(({ room, name }) => ({ name, path: `/chat/${room.uuid}`, room, unread: room.unread }));
  }

  #others(query) {
    if (!query) return [];
    const fit = (this.#public ?? []).filter((room) => !this.#rooms.all.has(room.id) && nameKey(room.name).includes(nameKey(query)));
    return fit.map((room) => ({ name: room.name, path: `/chat/${room.uuid}`, room, more: say("switcher_new") }));
  }

  async #addPeople(query, here) {
    if (me.role === "guest") return;
    const { items } = await get(`users?limit=${MOST}&q=${encodeURIComponent(query)}`).catch(() => ({ items: [] }));
    if (this.#field.value.trim() !== query) return;
    const known = new Set([...this.#rooms.all.values()].flatMap((room) => room.people.map(({ id }) => id)));
    const people = items.filter(({ id }) => id !== me.id && !known.has(id));
    this.#show([...here, ...people.map((person) => ({ name: nameOf(person), person, more: say("switcher_person") }))]);
  }

  #show(items) {
    this.#items = items.slice(0, MOST);
    this.#list.replaceChildren(...this.#items.map(option));
    setText($("p", this.#dialog), items.length ? "" : say("switcher_none"));
    this.#choose(0);
  }

  #choose(place) {
    const count = this.#items.length;
    this.#field.removeAttribute("aria-activedescendant");
    if (!count) return;
    this.#chosen = (place + count) % count;
    [...this.#list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === this.#chosen)));
    const item = this.#list.children[this.#chosen];
    this.#field.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    if (isComposing(event)) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#choose(this.#chosen + step);
    else if (event.key === "Enter") this.#go(this.#chosen);
    else return;
    event.preventDefault();
  }

  async #go(place) {
    const item = this.#items[place];
    if (!item) return;
    try {
      await visit(item.path ?? `/chat/${(await post("rooms/direct", { user_id: item.person.id })).uuid}`);
    } catch {
      setText($("p", this.#dialog), say("switcher_failed"));
    }
  }
}

function build() {
  const dialog = make("dialog", "switcher");
  const field = Object.assign(document.createElement("input"), { type: "text", dir: "auto", placeholder: say("switcher_hint"), autocomplete: "off" });
  const list = make("ul", "switcher-list");
  list.id = "switcher-list";
  list.setAttribute("role", "listbox");
  const attributes = { role: "combobox", "aria-expanded": "true", "aria-controls": list.id, "aria-autocomplete": "list" };
  for (const [name, value] of Object.entries(attributes)) field.setAttribute(name, value);
  for (const element of [dialog, field, list]) element.setAttribute("aria-label", say("switcher"));
  const said = make("p", "quiet");
  said.setAttribute("role", "status");
  dialog.append(field, list, said);
  return dialog;
}

function option({ name, room, person, unread, more }, place) {
  const face = make("span", "");
  const other = person ?? room.people.find(({ id }) => id !== me.id);
  setFace(face, other?.display_name ?? name, other?.id ?? room.id, other ? "person" : room.kind, (other ?? room).avatar_url ?? room?.picture_url);
  face.setAttribute("aria-hidden", "true");
  const item = make("li", "suggestion", face, make("bdi", "suggested-name", name));
  if (more) item.append(make("span", "quiet small", more));
  if (unread) item.append(make("span", "badge", unread > 99 ? "99+" : String(unread)));
  item.id = `switcher-${place}`;
  item.dataset.place = place;
  item.setAttribute("role", "option");
  return item;
}
