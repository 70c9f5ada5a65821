// What runs on every page of somebody who is logged in.

import { $, $$, setLong } from "./dom.js";
import { Chat } from "./chat.js";
import { Details } from "./details.js";
import { List } from "./list.js";
import { watchMedia } from "./media.js";
import { Notify } from "./notify.js";
import { Outbox } from "./outbox.js";
import { page } from "./page.js";
import { Presence } from "./presence.js";
import { Rooms } from "./rooms.js";
import { Switcher } from "./switcher.js";
import { Wire } from "./wire.js";

/** A connection that comes back this soon is not worth a word. */
const BLINK = 1200;

for (const time of $$("main time[data-long]")) setLong(time);
// Links to hand on: one touch selects all of it.
for (const input of $$("input[readonly]")) input.addEventListener("focus", () => input.select());

if (page) {
  watchMedia();
  const wire = new Wire(page.ws);
  const rooms = new Rooms(wire, page.room?.id ?? null);
  const outbox = new Outbox(wire);
  new List(rooms, new Presence(wire, rooms));
  if (page.room) new Chat(wire, rooms, outbox);
  new Details(wire, rooms);
  new Switcher(rooms);
  new Notify(wire, rooms);
  showState(wire);
  wire.start();
}

/** Says that the connection is lost, unless it is back at once. */
function showState(wire) {
  const state = document.documentElement.dataset;
  const banner = $("#banner");
  let timer = 0;
  state.wire = "connecting";
  wire.on("online", () => {
    clearTimeout(timer);
    banner.hidden = true;
    state.wire = "online";
  });
  wire.on("offline", () => {
    if (state.wire === "offline") return;
    state.wire = "offline";
    timer = setTimeout(() => (banner.hidden = false), BLINK);
  });
  // Who logs out here, or ends the account, knows that the session ends.
  let leaving = false;
  document.addEventListener("submit", ({ defaultPrevented }) => (leaving ||= !defaultPrevented));
  wire.on("ended", () => leaving || location.replace("/auth/logout?note=session-ended"));
}
