// List of rooms, and the unread count in the title.

import { $, attempt, fromTemplate, make, onNewDay, setFace, setText, setWhen } from "./dom.js";
import { me, nameOf, roomName, say } from "./page.js";
import { cut } from "./text.js";
import { PASSING } from "./wire.js";

const TITLE = document.title;
/** Maximum length of the last message in the list, characters. */
const PREVIEW = 100;
/** Errors that pass without a decision by the user. */
const WAITING = new Set([...PASSING, "offline", "interrupted"]);
/** Key of the scroll position, kept for the next page in this window. */
const SCROLLED = "parlor.list";

export class List {
  #root = $("#rooms");
  #rooms;
  #presence;
  #senders;
  #waiting = false;

  /** `senders` hold messages that wait or were refused. */
  constructor(rooms, presence, senders) {
    this.#rooms = rooms;
    this.#presence = presence;
    this.#senders = senders;
    for (const sender of senders) sender.on("changed", () => this.#soon());
    for (const time of this.#root.querySelectorAll("time")) setWhen(time, time.dateTime);
    rooms.on("changed", () => this.#soon());
    presence.on("changed", () => this.#soon());
    onNewDay(() => this.#soon());
    this.#keepScrolled($(".room-list"));
  }

  #keepScrolled(list) {
    list.scrollTop = attempt(() => Number(sessionStorage.getItem(SCROLLED)), 0);
    $("[aria-current]", this.#root)?.scrollIntoView({ block: "nearest" });
    addEventListener("pagehide", () => attempt(() => sessionStorage.setItem(SCROLLED, list.scrollTop)));
  }

  /** Batches changes that arrive together. */
  #soon() {
    if (this.#waiting) return;
    this.#waiting = true;
    queueMicrotask(() => {
      this.#waiting = false;
      this.#show();
    });
  }

  #show() {
    const rooms = [...this.#rooms.all.values()].sort(byRank);
    const items = rooms.map((room) => this.#fill(this.#itemOf(room), room));
    for (const item of [...this.#root.children]) if (!items.includes(item)) item.remove();
    this.#order(items);
    const unread = this.#rooms.unread;
    document.title = unread ? `(${unread}) ${TITLE}` : TITLE;
  }

  #itemOf(room) {
    const known = $(`[data-id="${room.id}"]`, this.#root);
    if (known) return known;
    const item = fromTemplate("room-template");
    item.dataset.id = room.id;
    $("a", item).href = `/chat/${room.uuid}`;
    if (room.id === this.#rooms.open) $("a", item).setAttribute("aria-current", "page");
    this.#root.append(item);
    return item;
  }

  #fill(item, room) {
    const name = roomName(room);
    const other = room.people.find((person) => person.id !== me.id);
    setText($(".room-name", item), name);
    setFace($(".face", item), other?.display_name ?? name, other?.id ?? room.id, room.kind === "direct" ? "person" : room.kind, other?.avatar_url ?? room.picture_url);
    const isRefused = this.#senders.some((sender) => sender.of(room.id).some(({ error }) => error && !WAITING.has(error)));
    setPreview($(".preview", item), ...(isRefused ? ["", `⚠ ${say("not_sent")}`] : preview(room)));
    $(".preview", item).classList.toggle("refused", isRefused);
    setWhen($("time", item), room.last_message?.created_at ?? room.created_at);
    setText($(".count", item), room.unread > 99 ? "99+" : String(room.unread));
    $(".badge", item).hidden = room.unread === 0;
    item.classList.toggle("has-unread", room.unread > 0);
    $(".dot", item).hidden = !(other && this.#presence.isOnline(room.id, other.id));
    return item;
  }

  #order(items) {
    // While the list has the focus nothing moves, so that nobody hits the wrong room.
    if (this.#root.matches(":focus-within")) return;
    items.forEach((item, place) => {
      if (this.#root.children[place] !== item) this.#root.insertBefore(item, this.#root.children[place] ?? null);
    });
  }
}

const at = (room) => Date.parse(room.last_message?.created_at ?? room.created_at);

function byRank(a, b) {
  return (b.unread > 0) - (a.unread > 0) || at(b) - at(a);
}

/** Returns sender and beginning of the last message; the server does the same. */
function preview(room) {
  const message = room.last_message;
  if (!message) return ["", ""];
  if (message.deleted_at) return ["", say("deleted_message")];
  const [file] = message.files;
  const text = cut(message.content.trim().replace(/\s+/g, " "), PREVIEW) || (file ? `📎 ${file.name}` : "");
  if (message.sender.id === me.id) return [say("you"), text];
  return [room.kind === "direct" ? "" : nameOf(message.sender), text];
}

/** Isolates name and text, which may have different directions. */
function setPreview(element, by, text) {
  const parts = [...(by ? [make("bdi", "", by), ": "] : []), make("bdi", "", text)];
  if (element.textContent !== (by ? `${by}: ${text}` : text)) element.replaceChildren(...parts);
}
