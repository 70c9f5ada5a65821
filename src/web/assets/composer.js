// Composer: sending, editing and replying, and drafts.

import { Attach } from "./attach.js";
import { Complete } from "./complete.js";
import { $, isComposing, numberLabel, setText } from "./dom.js";
import { Draft } from "./draft.js";
import { count, page, say } from "./page.js";
import { cut, isolated, trimLines } from "./text.js";

/** Interval between two `typing` events, milliseconds. */
const TYPING_EVERY = 2000;
/** Maximum length of a quote, characters. */
const HEAD = 140;
/** Maximum wait for stored files, milliseconds. */
const PATIENCE = 1000;
/** Characters left at which the counter appears. */
const NEAR = 200;

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
  #draft = new Draft(() => document.hasFocus() || this.#resume());
  #unkept = false;
  #isTooLong = false;
  #isRestored = false;
  #restored;

  constructor({ wire, outbox, uploads, timeline, history }) {
    this.#wire = wire;
    this.#outbox = outbox;
    this.#uploads = uploads;
    this.#timeline = timeline;
    this.#history = history;
    if (!this.#form) return;
    this.#field.required = false;
    new Complete(this.#field);
    this.#attach = new Attach(this.#field, (files) => this.#keepFiles(files));
    this.#restored = this.#restore();
    addEventListener("beforeunload", (event) => this.#unkept && event.preventDefault());
    if (!this.#field.value) this.#resume();
    this.#form.addEventListener("submit", (event) => this.#submit(event));
    this.#field.addEventListener("input", () => this.#input());
    this.#field.addEventListener("keydown", (event) => this.#key(event));
    $("#cancel").addEventListener("click", () => this.#cancel());
    this.#measure();
    this.#fit();
    if (!coarse()) this.#field.focus({ preventScroll: true });
  }

  /** Whether sending is possible. */
  get open() {
    return this.#form !== null;
  }

  focus() {
    this.#field?.focus({ preventScroll: true });
  }

  /** Loads one of the caller's messages into the text field, to edit it. */
  edit(entry) {
    this.#reply = null;
    this.#editing = entry;
    this.#say(say("editing"));
    this.#set(entry.text);
    this.focus();
  }

  /** Makes the next message a reply to this one. */
  reply({ id, name, text }) {
    if (!this.open) return;
    if (this.#editing) this.#cancel();
    this.#reply = { id, sender: { display_name: name }, content: cut(text, HEAD), deleted: false };
    this.#say(say("replying", { name: isolated(name) }), cut(text, HEAD));
    this.#draft.save(this.#field.value, this.#reply);
    this.focus();
  }

  /** Takes back a message that was not sent, appended to the current draft. */
  take({ content, reply, files }) {
    if (!this.open) return;
    if (this.#editing) this.#cancel();
    if (reply) this.#answer(reply);
    if (files) this.#attach.restore(files);
    this.#keepFiles(this.#attach.files);
    this.#set([this.#field.value, content].filter(Boolean).join("\n"));
    this.focus();
  }

  /** Replaces the composer by a text, because sending is no longer possible. */
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

  /** Loads the files stored with the draft. */
  async #restore() {
    const files = this.#draft.files().then((kept) => this.#attach.restore(kept));
    await Promise.race([files, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    this.#isRestored = true;
  }

  async #submit(event) {
    event.preventDefault();
    if (!this.#isRestored) await this.#restored;
    const text = trimLines(this.#field.value);
    const { files } = this.#attach;
    const over = lengthOf(text) - page.room.text_max;
    if (over > 0) return this.#refuse(over);
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

  #refuse(over) {
    const said = count("too_long_one", "too_long_many", over);
    this.#attach.warn(said.replace("{max}", numberLabel(page.room.text_max)));
    this.#isTooLong = true;
  }

  #change(content) {
    const { id, text } = this.#editing;
    if (content !== text) this.#outbox.change("edit", page.room.id, id, { content });
    this.#cancel();
  }

  /** Stops editing or replying. After editing, the draft is restored. */
  #cancel() {
    const wasEditing = this.#editing !== null;
    this.#editing = null;
    this.#answer(null);
    if (wasEditing) this.#resume();
    else this.#draft.save(this.#field.value, null);
    this.focus();
  }

  /** Restores the draft. */
  #resume() {
    if (this.#editing || !this.#form) return;
    const { text, reply } = this.#draft;
    this.#answer(reply);
    this.#field.value = text;
    this.#measure();
    this.#fit();
  }

  #answer(reply) {
    this.#reply = reply;
    if (reply) this.#say(say("replying", { name: isolated(reply.sender.display_name) }), reply.content);
    else this.#context.hidden = true;
  }

  async #keepFiles(files) {
    const isKept = await this.#draft.saveFiles(files);
    this.#unkept = !isKept && files.length > 0;
    if (this.#unkept) this.#attach.warn(say("files_unkept"));
  }

  #set(text) {
    this.#field.value = text;
    this.#field.dispatchEvent(new Event("input"));
  }

  #input() {
    this.#fit();
    this.#measure();
    const text = this.#field.value;
    if (!this.#editing) this.#draft.save(text, this.#reply);
    if (!text || this.#editing || Date.now() - this.#typed < TYPING_EVERY) return;
    this.#typed = Date.now();
    this.#wire.tell("typing", { room: page.room.id });
  }

  #key(event) {
    if (isComposing(event)) return;
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

  /** Shows the counter when the text is near or above the maximum length. */
  #measure() {
    const most = page.room.text_max;
    const { value } = this.#field;
    const length = value.length > most - NEAR ? lengthOf(trimLines(value)) : 0;
    const counter = $("#counter");
    counter.hidden = length <= most - NEAR;
    counter.classList.toggle("over", length > most);
    setText(counter, say("counter", { n: numberLabel(length), max: numberLabel(most) }));
    this.#field.setAttribute("aria-invalid", String(length > most));
    if (this.#isTooLong && length <= most) this.#attach.warn("");
    this.#isTooLong &&= length > most;
  }

  /** Fits the height to the text, where CSS `field-sizing` is not supported. */
  #fit() {
    if (CSS.supports("field-sizing", "content")) return;
    this.#field.style.height = "auto";
    this.#field.style.height = `${this.#field.scrollHeight + 2}px`;
  }
}

/** Returns the number of code points, as the server counts. */
const lengthOf = (text) => [...text].length;

/** Whether the main input is touch. On-screen keyboards have no Shift+Enter, so there Enter inserts a line break. */
const coarse = () => matchMedia("(pointer: coarse)").matches;
