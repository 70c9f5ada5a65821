// The line to write in: sending, changing and answering messages, drafts.

import { Attach } from "./attach.js";
import { Complete } from "./complete.js";
import { $, attempt, setText } from "./dom.js";
import { me, page, say } from "./page.js";
import { cut, isolated, trimLines } from "./text.js";

/** How often others are told that somebody types. */
const TYPING_EVERY = 2000;
/** The longest quote that is shown. */
const HEAD = 140;

export class Composer {
  #form = $("#composer");
  #field = $("#content");
  #context = $("#context");
  #wire;
  #outbox;
  #uploads;
  #timeline;
  #history;
  #attach;
  #editing = null;
  #reply = null;
  #typed = 0;
  #draft = `parlor.draft.${me.uuid}.${page.room.id}`;

  constructor({ wire, outbox, uploads, timeline, history }) {
    this.#wire = wire;
    this.#outbox = outbox;
    this.#uploads = uploads;
    this.#timeline = timeline;
    this.#history = history;
    if (!this.#form) return;
    this.#field.required = false;
    this.#field.value ||= this.#kept();
    new Complete(this.#field);
    this.#attach = new Attach(this.#field);
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#field.addEventListener("input", () => this.#input());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    $("#cancel").addEventListener("click", () => this.#cancel());
    this.#fit();
    if (!coarse()) this.#field.focus({ preventScroll: true });
  }

  /** Whether anything can be written here. */
  get open() {
    return this.#form !== null;
  }

  focus() {
    this.#field?.focus({ preventScroll: true });
  }

  /** Puts one of my messages into the line, to change it. */
  edit(entry) {
    this.#reply = null;
    this.#editing = entry;
    this.#say(say("editing"));
    this.#set(entry.text);
    this.focus();
  }

  /** The next message answers this one. */
  reply({ id, name, text }) {
    if (!this.open) return;
    if (this.#editing) this.#cancel();
    this.#reply = { id, sender: { display_name: name }, content: cut(text, HEAD), deleted: false };
    this.#say(say("replying", { name: isolated(name) }), cut(text, HEAD));
    this.focus();
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

  #say(text, quoted = "") {
    setText($("#context-text"), text);
    setText($("#context-quote"), quoted);
    this.#context.hidden = false;
  }

  #submit(event) {
    event.preventDefault();
    const text = trimLines(this.#field.value);
    const { files } = this.#attach;
    if (this.#editing) return text && this.#change(text);
    if (files.length) this.#uploads.add(page.room.id, text, this.#reply, files);
    else if (text) this.#outbox.add(page.room.id, text, this.#reply);
    else return;
    this.#typed = 0;
    this.#attach.clear();
    this.#cancel();
    this.#set("");
    this.#timeline.removeLine();
    this.#history.latest().catch(() => {});
  }

  async #change(content) {
    const { id, text } = this.#editing;
    if (content === text) return this.#cancel();
    try {
      const { message } = await this.#wire.ask("edit", { message: id, content });
      this.#timeline.upsert([message]);
      this.#cancel();
    } catch (error) {
      this.#say(say(error.code === "offline" ? "reconnecting" : "error_other"));
    }
  }

  /** Neither changes nor answers anything any more; what was being written before comes back. */
  #cancel() {
    const wasEditing = this.#editing !== null;
    this.#editing = null;
    this.#reply = null;
    this.#context.hidden = true;
    if (wasEditing) this.#set(this.#kept());
    this.focus();
  }

  /** What was being written here. */
  #kept() {
    return attempt(() => sessionStorage.getItem(this.#draft)) ?? "";
  }

  #set(text) {
    this.#field.value = text;
    this.#field.dispatchEvent(new Event("input"));
  }

  #input() {
    this.#fit();
    const text = this.#field.value;
    if (!this.#editing) attempt(() => sessionStorage.setItem(this.#draft, text));
    if (!text || this.#editing || Date.now() - this.#typed < TYPING_EVERY) return;
    this.#typed = Date.now();
    this.#wire.tell("typing", { room: page.room.id });
  }

  #key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !coarse()) {
      event.preventDefault();
      this.#form.requestSubmit();
    } else if (event.key === "Escape" && !this.#context.hidden) {
      this.#cancel();
    } else if (event.key === "ArrowUp" && !this.#field.value && !this.#timeline.newer) {
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
}

/** A finger has no Shift key: there, Enter makes a new line. */
const coarse = () => matchMedia("(pointer: coarse)").matches;
