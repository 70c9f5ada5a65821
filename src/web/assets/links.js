// The way to other pages: it waits for files that are being kept, and without a connection it stays here and says so.

import { $, setText } from "./dom.js";
import { say } from "./page.js";
import { isSaving, saved } from "./storage.js";

/** No longer than this, milliseconds. */
const PATIENCE = 10_000;

const isOffline = () => !navigator.onLine || document.documentElement.dataset.wire === "offline";

const wait = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** Leads to another page. */
export async function visit(href) {
  if (isSaving()) await Promise.race([saved(), wait(PATIENCE)]);
  // The connection may be lost and the server there.
  if (isOffline() && !(await answers())) return complain();
  location.assign(href);
}

const answers = () => fetch("/healthz", { cache: "no-store" }).then(({ ok }) => ok, () => false);

function complain() {
  const banner = $("#banner");
  setText(banner, say("page_offline"));
  banner.hidden = false;
}

/** Links that lead away from this page, in this window. */
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
