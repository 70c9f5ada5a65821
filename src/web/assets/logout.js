// Logging out: what this browser keeps for the account goes first, so that whoever uses it next finds nothing.

import { count } from "./page.js";
import { forgetAll } from "./storage.js";

/** A browser that does not answer does not keep anybody in, milliseconds. */
const PATIENCE = 2000;

/** `unsent` counts messages that would be lost; `leaving` is called when it is decided. */
export function watchLogout(unsent, leaving) {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.getAttribute("action") !== "/auth/logout") return;
    event.preventDefault();
    const lost = unsent();
    if (lost && !confirm(count("unsent_one", "unsent_many", lost))) return;
    leaving();
    await Promise.race([forgetAll(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    form.submit();
  });
}
