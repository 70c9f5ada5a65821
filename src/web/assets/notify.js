// Desktop notifications while the page is not in use, if the browser allows them and the user wants them. Also
// registers the service worker.

import { $, make, setText, attempt } from "./dom.js";
import { me, nameOf, say } from "./page.js";
import { isolated } from "./text.js";

/** Key of the setting of this browser: "off", or "dismissed" if the question was closed. */
const WISH = `parlor.notify.${me.uuid}`;

export class Notify {
  #rooms;
  #show = () => {};

  constructor(wire, rooms) {
    this.#rooms = rooms;
    wire.on("notification", ({ notification }) => this.#tell(notification));
    this.#prepare();
    if ($("#browser-notify")) this.#showSwitch($("#browser-notify"));
  }

  #prepare() {
    if (!isSecureContext) return this.#offer(say("https_hint"));
    navigator.serviceWorker?.register("/sw.js").catch(() => {});
    if (!("Notification" in window) || Notification.permission !== "default") return;
    const yes = make("button", "tool", say("notify_yes"));
    yes.type = "button";
    const note = this.#offer(say("notify_ask"), yes);
    yes.addEventListener("click", async () => {
      await allow();
      note.remove();
      this.#show();
    });
  }

  /** Shows one line below the list of rooms, until it is dismissed. */
  #offer(text, ...buttons) {
    if (recall()) return null;
    const dismiss = make("button", "tool", "×");
    dismiss.type = "button";
    dismiss.setAttribute("aria-label", say("dismiss"));
    const note = make("p", "side-note small", make("span", "grow", text), ...buttons, dismiss);
    dismiss.addEventListener("click", () => {
      remember("dismissed");
      note.remove();
    });
    $(".side-foot")?.before(note);
    return note;
  }

  /** On the settings page: shows whether notifications are on, with a button to switch. */
  #showSwitch(place) {
    const state = $("p", place);
    const button = $("button", place);
    this.#show = () => {
      setText(state, say(!isSecureContext ? "https_hint" : isOn() ? "browser_on" : isRefused() ? "browser_refused" : "browser_off"));
      setText(button, say(isOn() ? "browser_turn_off" : "browser_turn_on"));
      button.hidden = !isSecureContext || isRefused();
    };
    button.addEventListener("click", async () => {
      if (isOn()) remember("off");
      else await allow();
      $(".side-note")?.remove();
      this.#show();
    });
    this.#show();
    place.hidden = false;
  }

  async #tell({ kind, room_id, message_id, by, title, text, id }) {
    if ((!document.hidden && document.hasFocus()) || !isOn()) return;
    const room = this.#rooms.all.get(room_id);
    const heading = [by && nameOf(by), title].filter(Boolean).map(isolated).join(" · ") || "Parlor";
    const path = room ? `/chat/${room.uuid}${message_id ? `?at=${message_id}` : ""}` : "/conversations";
    // With the same tag, several windows show one notification.
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

const isOn = () => window.Notification?.permission === "granted" && recall() !== "off";

const isRefused = () => !("Notification" in window) || Notification.permission === "denied";

async function allow() {
  remember("");
  await Notification.requestPermission();
}

const recall = () => attempt(() => localStorage.getItem(WISH), "unknown");

// If nothing can be stored, the question is asked again next time.
const remember = (wish) => attempt(() => (wish ? localStorage.setItem(WISH, wish) : localStorage.removeItem(WISH)));
