// Entry point on every page of a logged-in user.

import { $, $$, onNewDay, setLong, setText } from "./dom.js";
import { Chat } from "./chat.js";
import { Details } from "./details.js";
import { watchLinks } from "./links.js";
import { List } from "./list.js";
import { watchLogout } from "./logout.js";
import { watchMedia } from "./media.js";
import { Notify } from "./notify.js";
import { Outbox } from "./outbox.js";
import { me, page, say } from "./page.js";
import { Presence } from "./presence.js";
import { Rooms } from "./rooms.js";
import { end, forgetOthers } from "./storage.js";
import { Switcher } from "./switcher.js";
import { Uploads } from "./uploads.js";
import { Wire } from "./wire.js";

/** The connection must be down this long before the banner appears, milliseconds. */
const BLINK = 1200;

const showTimes = () => $$("main time[data-long]").forEach(setLong);
showTimes();
onNewDay(showTimes);
// Read-only inputs hold links to share; focus selects everything.
for (const input of $$("input[readonly]")) input.addEventListener("focus", () => input.select());

if (page) {
  forgetOthers();
  watchMedia();
  const wire = new Wire(page.ws, me.id);
  const rooms = new Rooms(wire, page.room?.id ?? null);
  const outbox = new Outbox(wire);
  const uploads = new Uploads(wire);
  new List(rooms, new Presence(wire, rooms), [outbox, uploads]);
  if (page.room) new Chat(wire, rooms, outbox, uploads);
  new Details(wire, rooms);
  new Switcher(rooms);
  new Notify(wire, rooms);
  watchLinks();
  showState(wire, () => outbox.size + uploads.size);
  wire.start();
}

/** Shows a banner while the connection is lost; leaves the page when the session has ended. */
function showState(wire, unsent) {
  const state = document.documentElement.dataset;
  const banner = $("#banner");
  let timer = 0;
  state.wire = "connecting";
  const hide = () => {
    clearTimeout(timer);
    banner.hidden = true;
    setText(banner, say("reconnecting"));
  };
  wire.on("online", () => {
    hide();
    state.wire = "online";
  });
  wire.on("offline", () => {
    if (state.wire === "offline") return;
    state.wire = "offline";
    timer = setTimeout(() => (banner.hidden = false), BLINK);
  });
  // The browser reports this at once, but the server may still be reachable.
  addEventListener("offline", () => (banner.hidden = false));
  wire.on("alive", hide);
  // The user logs out or deletes the account, and knows that the session ends.
  let leaving = false;
  watchLogout(unsent, () => (leaving = true));
  document.addEventListener("submit", ({ defaultPrevented }) => (leaving ||= !defaultPrevented));
  wire.on("ended", () => {
    end();
    if (!leaving) location.replace("/auth/logout?note=session-ended");
  });
  // The browser is logged in to another account now.
  wire.on("replaced", () => {
    end();
    location.reload();
  });
}
