// Presence and typing indicators.

import { $, fromTemplate, setFace, setText } from "./dom.js";
import { count, me, nameOf, page, say } from "./page.js";
import { isolated } from "./text.js";
import { Emitter } from "./wire.js";

/** A typing indicator is removed after this time, milliseconds; clients repeat the event earlier. */
const TYPING_FOR = 4000;

/** Emits "changed" when presence has changed. */
export class Presence extends Emitter {
  /** Per room: people by id, and their number, which is all that is known in large rooms. */
  #people = new Map();
  #counts = new Map();
  #typing = new Map();
  #self;

  constructor(wire, rooms) {
    super();
    wire.on("welcome", (event) => this.#welcome(event));
    wire.on("rooms", (event) => this.#take(event));
    rooms.on("live", ({ room, online, online_count }) => this.#begin(room, online, online_count));
    wire.on("presence", (event) => this.#change(event));
    wire.on("typing", ({ room, user }) => room === page.room?.id && this.#types(user));
    wire.on("message", ({ message }) => message.room_id === page.room?.id && this.#stops(message.sender.id));
  }

  isOnline(room, person) {
    return this.#people.get(room)?.has(person) ?? false;
  }

  #welcome(event) {
    this.#self = event.user;
    this.#take(event);
  }

  #take({ online, online_count }) {
    for (const [room, people] of Object.entries(online)) this.#begin(Number(room), people, online_count[room]);
  }

  /** Sets the initial state; later events hold differences. The caller is always online. */
  #begin(room, people, number) {
    this.#people.set(room, new Map([...people, this.#self].map((person) => [person.id, person])));
    this.#counts.set(room, number);
    this.#show(room);
  }

  #change({ room, online, offline, count: number }) {
    const people = this.#people.get(room) ?? new Map();
    for (const person of online) people.set(person.id, person);
    for (const person of offline) people.delete(person.id);
    this.#people.set(room, people);
    this.#counts.set(room, number);
    this.#show(room);
  }

  #show(room) {
    this.emit("changed");
    if (room !== page.room?.id) return;
    const people = [...this.#people.get(room).values()];
    setText($("#online-count"), count("online_one", "online_many", this.#counts.get(room)));
    const state = $("#other-state");
    if (state) setText(state, say(people.some((person) => person.id !== me.id) ? "is_online" : "is_offline"));
    const list = $("#online");
    people.sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
    list?.replaceChildren(...people.map(personItem));
  }

  #types(user) {
    clearTimeout(this.#typing.get(user.id)?.timer);
    const timer = setTimeout(() => this.#stops(user.id), TYPING_FOR);
    this.#typing.set(user.id, { name: nameOf(user), timer });
    this.#showTyping();
  }

  #stops(id) {
    clearTimeout(this.#typing.get(id)?.timer);
    if (this.#typing.delete(id)) this.#showTyping();
  }

  #showTyping() {
    const [a, b, more] = [...this.#typing.values()].map(({ name }) => isolated(name));
    const text = more ? say("typing_many") : b ? say("typing_two", { a, b }) : a ? say("typing_one", { a }) : "";
    setText($("#typing"), text);
  }
}

function personItem(person) {
  const item = fromTemplate("person-template");
  item.dataset.id = person.id;
  setFace($(".face", item), person.display_name, person.id, "person", person.avatar_url);
  setText($(".person-name", item), nameOf(person));
  return item;
}
