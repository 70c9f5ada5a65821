// The pages of the team protocol, with forms as a browser sends them, and its JSON API as its scripts call it.

import { ask, base, tell } from "./front.mjs";

/** Opens a page or submits a form, reports status and redirect target, and returns the page. */
async function visit(who, path, { cookie, form } = {}) {
    const headers = cookie ? { Cookie: cookie } : {};
    const body = form && new URLSearchParams(form);
    const response = await fetch(base + path, { method: form ? "POST" : "GET", headers, body, redirect: "manual" });
    const page = await response.text();
    const alert = page.includes('role="alert"');
    tell({ who, did: `${form ? "POST" : "GET"} ${path}`, status: response.status, to: response.headers.get("location"), alert });
    return { page, cookie: response.headers.getSetCookie().find((line) => line.startsWith("parlor_"))?.split(";")[0] };
}

const token = ({ page }) => /<meta name="csrf" content="([^"]+)"/.exec(page)[1];

for (const path of ["/login", "/register", "/guest"]) await visit("ann", path);
const ann = { email: "ann@example.org", username: "ann", password: "long secret" };
await visit("ann", "/register", { form: ann });
await visit("ann", "/register", { form: ann });
await visit("ann", "/login", { form: { email: ann.email, password: "wrong" } });
await visit("gus", "/guest", { form: { email: "gus@example.org", username: "gus" } });
const session = await visit("ann", "/login", { form: { email: ann.email, password: ann.password } });
await visit("ann", "/conversations", session);
await visit("ann", "/logout", session);

const grant = await ask("ann", "POST", "/auth/token", { body: { email: ann.email, password: ann.password } });
const { user } = await ask("ann", "GET", "/auth/check", { token: grant.access_token });
const { conversations } = await ask("ann", "GET", `/api/user/${user}/conversations`, { token: grant.access_token });
await ask("ann", "GET", `/api/conversation/${conversations[0].id}`, { token: grant.access_token });
await ask("ann", "POST", `/api/conversation/${user}`, { token: grant.access_token, body: {} });
await ask("ann", "GET", "/api/conversation/no-such-thing/messages", { token: grant.access_token });
await ask("ann", "POST", "/api/v1/rooms", { token: grant.access_token, body: { name: "den", kind: "private" } });
const [den] = (await ask("ann", "GET", `/user/${user}/conversations`, { token: grant.access_token })).conversations.slice(-1);

// An admin outside a room sees its details, but no messages; an unknown role shows the form again.
const { cookie } = await visit("root", "/auth/login", { form: { username: "root", password: "correct horse" } });
await visit("root", `/conversations/${den.id}`, { cookie });
await visit("root", `/chat/${den.id}`, { cookie });
const edit = await visit("root", `/users/edit/${user}`, { cookie });
const form = { csrf: token(edit), username: "ann", email: ann.email };
await visit("root", `/users/edit/${user}`, { cookie, form: { ...form, role: "emperor" } });
await visit("root", `/users/edit/${user}`, { cookie, form: { ...form, role: "user" } });
process.exit();
