// Log-out: first deletes everything this browser stores for the account, so that the next user finds nothing.

import { count } from "./page.js";
import { forgetAll } from "./storage.js";

/** Maximum wait for the deletion, milliseconds, so that a browser that hangs does not prevent log-out. */
const PATIENCE = 2000;

/** `unsent` returns the number of messages that would be lost; `leaving` is called when log-out is confirmed. */
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
