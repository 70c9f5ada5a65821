// A user and an admin on the original front end of chat_app: they log in with a role, wait for `connection`, and write.

import { ask, next, open } from "./front.mjs";

async function member(who, role) {
    const email = `${who}@example.org`;
    if (role === "user") await ask(who, "POST", "/auth/register", { body: { name: who, email, password: "long secret", role } });
    const { access_token: token } = await ask(who, "POST", "/auth/login", { body: { email, password: "long secret", role } });
    const { id } = await ask(who, "GET", "/chat/info", { token });
    const socket = open(who, { auth: { token }, transports: ["websocket", "polling"] });
    await next(socket, "connection");
    return { id, token, socket };
}

const boss = await member("boss", "admin");
const ann = await member("ann", "user");
const admins = await ask("ann", "GET", "/chat/admins", { token: ann.token });
const admin = admins.find(({ name }) => name === "boss");
const heard = [next(ann.socket, "message_sent"), next(ann.socket, "receive_message"), next(boss.socket, "smessage")];
ann.socket.emit("smessage", { receiver_id: admin.id, content: "Hello!" });
await Promise.all(heard);
await ask("boss", "GET", "/chat/users", { token: boss.token });
await ask("boss", "GET", `/chat/messages/${ann.id}`, { token: boss.token });
const read = next(ann.socket, "read_status_update");
boss.socket.emit("mark_message_read", { sender_id: ann.id });
await read;
await ask("ann", "GET", `/chat/messages/${admin.id}`, { token: ann.token });
await ask("ann", "GET", "/chat/loaded", { token: ann.token });
const own = next(ann.socket, "message_sent");
ann.socket.emit("smessage", { sender_id: ann.id, receiver_id: admin.id, content: "It is me." });
await own;
for (const message of [
    { receiver_id: 999, content: "Anybody?" },
    { sender_id: boss.id, receiver_id: ann.id, content: "You are the admin now." },
]) {
    const refused = next(ann.socket, "error");
    ann.socket.emit("smessage", message);
    await refused;
}
await ask("ann", "GET", "/chat/messages/0", { token: ann.token });
await ask("ann", "POST", "/chat/admins", { token: ann.token, body: {} });
const body = { name: "eve", email: "eve@example.org", password: "long secret", role: "admin" };
await ask("ann", "POST", "/auth/register", { token: ann.token, body });
process.exit();
