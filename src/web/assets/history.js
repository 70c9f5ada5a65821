// History of the open room: loads a page when the reader scrolls near either end.

import { $, setText } from "./dom.js";
import { get, page, say } from "./page.js";
import { toast } from "./toast.js";

const PAGE = 100;
/** Distance from the end at which the next page is loaded, pixels. */
const NEAR = 1200;

export class History {
  #timeline;
  #path = `rooms/${page.room.id}/messages`;
  #loading = false;
  /** Incremented at each restart, so that late responses to earlier requests are ignored. */
  #piece = 0;

  constructor(timeline) {
    this.#timeline = timeline;
    timeline.log.addEventListener("scroll", () => this.#look(), { passive: true });
    this.#look();
  }

  /** Scrolls to the newest messages, loading them if needed. */
  async latest() {
    if (this.#timeline.newer) await this.restart();
    this.#timeline.toBottom();
  }

  /** Starts again with the newest messages. */
  async restart() {
    const { items, more } = await this.#fetch("");
    this.#begin(items, more, false);
    this.#timeline.toBottom();
  }

  /** Shows a message wherever it is in the history, or an error if it does not exist. */
  async show(id) {
    if (!(await this.bring(id))) return toast(say("message_missing"));
    this.#timeline.reveal(id);
  }

  /** Loads a message wherever it is in the history; resolves with whether it exists. */
  async bring(id) {
    if (this.#timeline.find(id)) return true;
    const half = PAGE / 2;
    const [before, after] = await Promise.all([
      this.#fetch(`&before=${id + 1}`, half),
      this.#fetch(`&after=${id}`, half),
    ]);
    if (before.items.at(-1)?.id !== id) return false;
    this.#begin([...before.items, ...after.items], before.more, after.more);
    return true;
  }

  #begin(items, older, newer) {
    this.#piece++;
    this.#timeline.replace(items, older, newer);
    this.#top();
    requestAnimationFrame(() => this.#look());
  }

  /** Loads the messages that are about to be visible. */
  #look() {
    const { log, entries, older, newer } = this.#timeline;
    if (!entries.length) return;
    const fromBottom = -log.scrollTop;
    const fromTop = log.scrollHeight - log.clientHeight - fromBottom;
    if (older && fromTop < NEAR) this.#load("older");
    else if (newer && fromBottom < NEAR) this.#load("newer");
  }

  async #load(side) {
    if (this.#loading) return;
    this.#loading = true;
    const piece = this.#piece;
    const timeline = this.#timeline;
    const part = side === "older" ? `&before=${timeline.oldest}` : `&after=${timeline.newest}`;
    try {
      const { items, more } = await this.#fetch(part);
      if (piece === this.#piece) side === "older" ? timeline.prepend(items, more) : timeline.append(items, more);
      this.#top();
      // One page may not be enough.
      requestAnimationFrame(() => this.#look());
    } catch {
      setText($("#log-top"), say("history_failed"));
    }
    this.#loading = false;
  }

  #fetch(part, limit = PAGE) {
    return get(`${this.#path}?limit=${limit}${part}`);
  }

  #top() {
    setText($("#log-top"), say(this.#timeline.older ? "loading" : "beginning"));
  }
}
