// The line to write in, and what of it is still on its way.

import { $, fromTemplate, setClock, setText } from "./dom.js";
import { me, page, say } from "./page.js";

/** How often others are told that somebody types. */
const TYPING_EVERY = 2000;
const REASONS = { forbidden: "error_forbidden", muted: "error_muted", full: "error_full", not_found: "error_forbidden" };

export class Composer {
  #form = $("#composer");
  #field = $("#content");
  #pending = $("#pending");
  #wire;
  #outbox;
  #timeline;
  #editing = null;
  #typed = 0;
  #draft = `parlor.draft.${me.uuid}.${page.room.id}`;

  constructor(wire, outbox, timeline) {
    Object.assign(this, { room: page.room.id });
    this.#wire = wire;
    this.#outbox = outbox;
    this.#timeline = timeline;
    outbox.on("changed", () => this.#showPending());
    this.#showPending();
    this.#pending.addEventListener("click", (event) => this.#decide(event));
    if (!this.#form) return;
    this.#field.required = false;
    this.#field.value ||= sessionStorage.getItem(this.#draft) ?? "";
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#field.addEventListener("input", () => this.#input());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    $("#cancel").addEventListener("click", () => this.#stopEditing());
    this.#fit();
    if (!coarse()) this.#field.focus();
  }

  focus() {
    this.#field?.focus();
  }

  /** Puts one of my messages into the line, to change it. */
  edit(entry) {
    this.#editing = entry;
    $("#editing").hidden = false;
    this.#field.value = entry.text;
    this.#fit();
    this.#field.focus();
  }

  /** Nothing can be written here any more. */
  close(text) {
    const closed = document.createElement("div");
    closed.className = "composer closed";
    closed.setAttribute("role", "status");
    setText(closed, text);
    (this.#form ?? $(".composer"))?.replaceWith(closed);
    this.#form = null;
  }

  #submit(event) {
    event.preventDefault();
    const text = this.#field.value.trim();
    if (!text) return;
    if (this.#editing) return this.#change(text);
    this.#outbox.add(this.room, text);
    this.#typed = 0;
    this.#set("");
    this.#timeline.removeLine();
    this.#timeline.toBottom();
    this.#field.focus();
  }

  async #change(content) {
    const { id, text } = this.#editing;
    if (content === text) return this.#stopEditing();
    try {
      const { message } = await this.#wire.ask("edit", { message: id, content });
      this.#timeline.upsert([message]);
      this.#stopEditing();
    } catch (error) {
      this.#complain(error.code === "offline" ? "reconnecting" : "error_other");
    }
  }

  #complain(key) {
    setText($("#editing span"), say(key));
  }

  #stopEditing() {
    this.#editing = null;
    $("#editing").hidden = true;
    setText($("#editing span"), say("editing"));
    this.#set("");
    this.#field.focus();
  }

  #set(text) {
    this.#field.value = text;
    this.#input();
  }

  #input() {
    this.#fit();
    const text = this.#field.value;
    if (!this.#editing) sessionStorage.setItem(this.#draft, text);
    if (!text || this.#editing || Date.now() - this.#typed < TYPING_EVERY) return;
    this.#typed = Date.now();
    this.#wire.tell("typing", { room: this.room });
  }

  #key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !coarse()) {
      event.preventDefault();
      this.#form.requestSubmit();
    } else if (event.key === "Escape" && this.#editing) {
      this.#stopEditing();
    } else if (event.key === "ArrowUp" && !this.#field.value) {
      const last = this.#timeline.entries.findLast((entry) => entry.own && !entry.deleted);
      if (last) this.edit(last);
      event.preventDefault();
    }
  }

  /** As high as its text, where the style sheet cannot do it. */
  #fit() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }

  #showPending() {
    const bottom = this.#timeline.atBottom;
    this.#pending.replaceChildren(...this.#outbox.of(this.room).map(pendingItem));
    if (bottom) this.#timeline.toBottom();
  }

  #decide({ target }) {
    const what = target.dataset.do;
    const uuid = target.closest(".message")?.dataset.uuid;
    if (what === "retry") this.#outbox.retry(uuid);
    if (what === "discard") this.#outbox.discard(uuid);
  }
}

/** A finger has no Shift key: there, Enter makes a new line. */
const coarse = () => matchMedia("(pointer: coarse)").matches;

function pendingItem({ uuid, content, at, error }) {
  const item = fromTemplate("message-template");
  item.removeAttribute("id");
  item.dataset.uuid = uuid;
  item.classList.add("own", error ? "failed" : "pending");
  setText($(".text", item), content);
  setClock($("time", item), at);
  if (error) {
    const tools = fromTemplate("pending-tools");
    setText($(".why", tools), `${say("not_sent")}. ${say(REASONS[error] ?? "error_other")}`);
    item.append(tools);
  }
  return item;
}
