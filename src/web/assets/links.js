// Navigation to other pages: waits for files being stored; without a connection, stays and shows a banner.

import { $, setText } from "./dom.js";
import { say } from "./page.js";
import { isSaving, saved } from "./storage.js";

/** Maximum wait, milliseconds. */
const PATIENCE = 10_000;

const isOffline = () => !navigator.onLine || document.documentElement.dataset.wire === "offline";

const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** Navigates to another page. */
export async function visit(href) {
  if (isSaving()) await Promise.race([saved(), wait(PATIENCE)]);
  // The WebSocket may be down although the server is reachable.
  if (isOffline() && !(await answers())) return complain();
  location.assign(href);
}

const answers = () => fetch("/healthz", { cache: "no-store" }).then(({ ok }) => ok, () => false);

function complain() {
  const banner = $("#banner");
  setText(banner, say("page_offline"));
  banner.hidden = false;
}

/** Handles links that leave this page in this window. */
export function watchLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    const other = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || other || event.defaultPrevented || !leadsAway(link)) return;
    if (!isSaving() && !isOffline()) return;
    event.preventDefault();
    visit(link.href);
  });
}

function leadsAway({ target, origin, pathname, search, hash, download }) {
  if ((target && target !== "_self") || download || origin !== location.origin) return false;
  return !hash || pathname !== location.pathname || search !== location.search;
}
