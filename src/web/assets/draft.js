// Draft of the open room, shared by all windows of an account. Text and reply are stored with every key, files as soon
// as the browser has written them.

import { attempt } from "./dom.js";
import { me, page } from "./page.js";
import { drop, keep, kept } from "./storage.js";

const KEY = `parlor.draft.${me?.uuid}.${page?.room?.id}`;

export class Draft {
  text = "";
  /** Message it replies to: { id, sender, content, deleted }, or null. */
  reply = null;

  /** `changed` is called when another window has changed the draft. */
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

  /** Resolves with the files stored with the draft. */
  async files() {
    const files = await kept("drafts", page.room.id);
    return Array.isArray(files) ? files : [];
  }

  /** Stores files; resolves with whether the browser did. */
  saveFiles(files) {
    if (!files.length) return drop("drafts", page.room.id).then(() => true);
    return keep("drafts", page.room.id, [...files]).then(() => true, () => false);
  }
}
