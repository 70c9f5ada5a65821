// Two people on the original front end of komunikator: user names and passwords by HTTP, sockets without a token.

import { ask, next, open } from "./front.mjs";

async function member(who) {
    const body = { user_name: who, password: "long secret" };
    await ask(who, "POST", "/api/register", { body });
    const { access_token: token } = await ask(who, "POST", "/api/login", { body });
    const socket = open(who);
    await next(socket, "connect");
    const send = (event, value) => socket.emit(event, { user_name: who, ...value });
    setInterval(send, 1000, "watchdog");
    return { token, socket, send };
}

const ann = await member("ann");
const bob = await member("bob");
// A connection that has not joined a room receives changes of the room list, too.
let listed = [ann, bob].map(({ socket }) => next(socket, "room_list_updated"));
const room = { room_name: "den", is_private: true, access_key: "fox" };
const { room_id } = await ask("ann", "POST", "/api/room/create", { token: ann.token, body: room });
await Promise.all(listed);
const joined = next(ann.socket, "user_joined");
ann.send("join", { room_id });
await joined;
listed = next(ann.socket, "user_list_updated");
await ask("bob", "POST", "/api/room/join_private", { token: bob.token, body: { access_key: "fox" } });
await listed;
await ask("bob", "GET", `/api/chat_history?room_id=${room_id}`);
await ask("bob", "GET", `/api/user_list?room_id=${room_id}`);
const arrived = next(ann.socket, "user_joined");
bob.send("join", { room_id: String(room_id) });
await arrived;
const heard = [ann, bob].map(({ socket }) => next(socket, "new"));
bob.send("message", { room_id, message: "hello" });
await Promise.all(heard);
await ask("ann", "GET", `/api/chat_history?room_id=${room_id}`);
await ask("ann", "GET", "/api/users/online", { token: ann.token });
const again = next(ann.socket, "new", ({ message }) => message === "in capitals");
bob.send("message", { room_id, user_name: "BOB", message: "in capitals" });
await again;
// Only the owner can kick, and the owner cannot leave.
const admin = { user_name: "root", password: "correct horse" };
const { access_token: root } = await ask("root", "POST", "/api/login", { body: admin });
await ask("root", "POST", "/api/user_kick", { token: root, body: { room_id, user_to_kick: "bob" } });
await ask("ann", "POST", "/api/room/leave", { token: ann.token, body: { room_id } });
// A direct room is closed to a user name without a token.
const { id: user_id } = await ask("bob", "GET", "/api/v1/me", { token: bob.token });
await ask("root", "POST", "/api/v1/rooms/direct", { token: root, body: { user_id } });
const rooms = await ask("bob", "GET", "/api/user_rooms", { token: bob.token });
const between = rooms.find(({ room_name }) => room_name === "root").room_id;
for (const event of ["join", "message"]) {
    const closed = next(bob.socket, "error");
    bob.send(event, { room_id: between, message: "am I bob?" });
    await closed;
}
const kicked = next(bob.socket, "user_kicked");
await ask("ann", "POST", "/api/user_kick", { token: ann.token, body: { room_id, user_to_kick: "bob" } });
await kicked;
const refused = next(bob.socket, "error");
bob.send("message", { room_id, message: "still here?" });
await refused;
const lobby = next(ann.socket, "user_joined", ({ room_id }) => room_id === 1);
ann.send("join", { room_id: 1 });
await lobby;
const offline = next(ann.socket, "user_offline", ({ user_name }) => user_name === "bob");
bob.socket.disconnect();
await offline;
process.exit();
