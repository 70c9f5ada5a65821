// The history of the open room: brings it to the page piece by piece, whichever way somebody scrolls.

import { $, setText } from "./dom.js";
import { get, page, say } from "./page.js";
import { toast } from "./toast.js";

const PAGE = 100;
/** So close to the end of what is on the page the next piece is fetched, pixels. */
const NEAR = 1200;

export class History {
  #timeline;
  #path = `rooms/${page.room.id}/messages`;
  #loading = false;
  /** Counts the pieces that were begun anew: an answer for an earlier one comes too late. */
  #piece = 0;

  constructor(timeline) {
    this.#timeline = timeline;
    timeline.log.addEventListener("scroll", () => this.#look(), { passive: true });
    this.#look();
  }

  /** Shows the newest messages. */
  async latest() {
    if (this.#timeline.newer) await this.restart();
    this.#timeline.toBottom();
  }

  /** Begins again with the newest messages. */
  async restart() {
    const { items, more } = await this.#fetch("");
    this.#begin(items, more, false);
    this.#timeline.toBottom();
  }

  /** Shows a message, wherever it is; says so if it is nowhere. */
  async show(id) {
    if (!(await this.bring(id))) return toast(say("message_missing"));
    this.#timeline.reveal(id);
  }

  /** Brings a message onto the page, wherever it is; answers whether it is there. */
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

  /** Fetches what is about to be seen. */
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
      // One piece may not be enough.
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
