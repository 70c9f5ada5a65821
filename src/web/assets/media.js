// Players and animations on all pages: only one plays at a time; a file that cannot be played becomes a link;
// animations can be stopped.

import { card } from "./attached.js";
import { $, $$, make } from "./dom.js";
import { say } from "./page.js";

const PLAYERS = "figure.player > :is(video, audio)";
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function watchMedia() {
  // These events do not bubble, so they are captured.
  document.addEventListener("play", ({ target }) => pauseOthers(target), true);
  for (const event of ["error", "loadedmetadata"]) document.addEventListener(event, ({ target }) => check(target), true);
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("button.motion");
    if (button) toggle(button.closest(".moving"));
  });
  $$(PLAYERS).forEach(check);
}

function pauseOthers(player) {
  for (const other of $$("video, audio")) if (other !== player) other.pause();
}

/** With an unsupported codec a player fails, or plays sound without a picture. */
function check(player) {
  const isBlind = player.tagName === "VIDEO" && player.readyState > 0 && !player.videoWidth;
  if (player.matches?.(PLAYERS) && (player.error || isBlind)) giveUp(player);
}

function giveUp(player) {
  const figure = player.closest("figure");
  const link = $("a", figure);
  const file = { name: link.textContent, size: $(".file-size", figure).textContent };
  figure.replaceWith(card(file, link.getAttribute("href")), make("p", "file-note", say("unplayable_note")));
}

/** Switches between the animation and its first frame. */
function toggle(place) {
  const source = $("source", place);
  const moves = source.media === "not all" || (source.media !== "all" && !calm.matches);
  source.media = moves ? "all" : "not all";
  place.classList.toggle("still", moves);
  place.classList.toggle("plays", !moves);
}
