// Tells of new messages while the page is in the background, where the browser lets it, and only if somebody wants it.
// Also keeps the small part of the page that works without a connection.

import { $, make } from "./dom.js";
import { me, nameOf, say } from "./page.js";

const DISMISSED = `parlor.notify.${me.uuid}`;

export class Notify {
  #rooms;

  constructor(wire, rooms) {
    this.#rooms = rooms;
    wire.on("notification", ({ notification }) => this.#tell(notification));
    this.#prepare();
  }

  #prepare() {
    if (!isSecureContext) return this.#offer(say("https_hint"));
    navigator.serviceWorker?.register("/sw.js").catch(() => {});
    if (!("Notification" in window) || Notification.permission !== "default") return;
    const yes = make("button", "tool", say("notify_yes"));
    yes.type = "button";
    const note = this.#offer(say("notify_ask"), yes);
    yes.addEventListener("click", async () => {
      await Notification.requestPermission();
      note.remove();
    });
  }

  /** One quiet line below the list, until somebody does not want it. */
  #offer(text, ...buttons) {
    if (recall()) return null;
    const dismiss = make("button", "tool", "×");
    dismiss.type = "button";
    dismiss.setAttribute("aria-label", say("dismiss"));
    const note = make("p", "side-note small", make("span", "grow", text), ...buttons, dismiss);
    dismiss.addEventListener("click", () => {
      remember();
      note.remove();
    });
    $(".side-foot")?.before(note);
    return note;
  }

  async #tell({ kind, room_id, message_id, by, title, text, id }) {
    if (!document.hidden || window.Notification?.permission !== "granted") return;
    const room = this.#rooms.all.get(room_id);
    const heading = [by && nameOf(by), title].filter(Boolean).join(" · ") || "Parlor";
    const path = room ? `/chat/${room.uuid}${message_id ? `?at=${message_id}` : ""}` : "/conversations";
    // Several windows of mine tell of it once.
    const options = { body: text ?? "", tag: `parlor-${kind}-${room_id ?? id}`, data: { path }, renotify: true };
    const worker = await navigator.serviceWorker?.getRegistration();
    if (worker) return worker.showNotification(heading, options);
    const shown = new Notification(heading, options);
    shown.onclick = () => {
      focus();
      location.assign(path);
    };
  }
}

function recall() {
  try {
    return localStorage.getItem(DISMISSED);
  } catch {
    return "unknown";
  }
}

function remember() {
  try {
    localStorage.setItem(DISMISSED, "dismissed");
  } catch {
    // Then it asks again next time.
  }
}
