// What is half written in the open room, one draft for all windows of an account: the text and what it answers are kept
// with every key, its files as soon as the browser has written them.

import { attempt } from "./dom.js";
import { me, page } from "./page.js";
import { drop, keep, kept } from "./storage.js";

const KEY = `parlor.draft.${me?.uuid}.${page?.room?.id}`;

export class Draft {
  text = "";
  /** What it answers: { id, sender, content, deleted }, or null. */
  reply = null;

  /** `changed` is called when another window has changed it. */
  constructor(changed) {
    this.#read();
    addEventListener("storage", ({ key }) => {
      if (key !== KEY) return;
      this.#read();
      changed();
    });
  }

  #read() {
    const { text, reply } = attempt(() => JSON.parse(localStorage.getItem(KEY))) ?? {};
    this.text = typeof text === "string" ? text : "";
    this.reply = reply?.id && reply.sender ? reply : null;
  }

  save(text, reply) {
    Object.assign(this, { text, reply });
    const store = () => localStorage.setItem(KEY, JSON.stringify({ text, reply }));
    attempt(() => (text || reply ? store() : localStorage.removeItem(KEY)));
  }

  /** The files that are kept with it. */
  async files() {
    const files = await kept("drafts", page.room.id);
    return Array.isArray(files) ? files : [];
  }

  /** Keeps these files; resolves with whether the browser does. */
  saveFiles(files) {
    if (!files.length) return drop("drafts", page.room.id).then(() => true);
    return keep("drafts", page.room.id, [...files]).then(() => true, () => false);
  }
}
