// Two people on the original front end of realtime: public chat, private chat, a file, read receipts.

import { ask, next, open } from "./front.mjs";

async function member(who) {
    const body = { username: who, email: `${who}@example.org`, password: "long secret" };
    await ask(who, "POST", "/api/auth/register", { body });
    const { access_token: token, user } = await ask(who, "POST", "/api/auth/login", { body });
    const socket = open(who, { auth: { token } });
    await next(socket, "connected");
    const joined = next(socket, "user_joined");
    socket.emit("join_public");
    await joined;
    return { id: user.id, token, socket };
}

const ann = await member("ann");
const bob = await member("bob");
const online = next(ann.socket, "online_users");
ann.socket.emit("get_online_users");
await online;

let heard = [ann, bob].map(({ socket }) => next(socket, "new_public_message"));
ann.socket.emit("send_public_message", { content: "Hello everyone!" });
await Promise.all(heard);

const body = new FormData();
body.append("file", new Blob(["%PDF-1.4 nothing"], { type: "application/pdf" }), "plan für uns.pdf");
const { file_url, filename, file_size, file_type } = await ask("ann", "POST", "/api/files/upload", { token: ann.token, body });
heard = [ann, bob].map(({ socket }) => next(socket, "new_private_file_message"));
ann.socket.emit("join_private", { other_user_id: bob.id });
ann.socket.emit("send_private_file", { other_user_id: bob.id, filename, file_url, file_size, file_type });
const [{ chat_id, file }] = await Promise.all(heard);
const fetched = await fetch(file.file_url);
process.stdout.write(JSON.stringify({ who: "bob", fetched: await fetched.text(), status: fetched.status }) + "\n");

heard = [next(bob.socket, "unread_count_update"), next(ann.socket, "new_private_message")];
ann.socket.emit("send_private_message", { other_user_id: bob.id, content: "Seen it?" });
await Promise.all(heard);
await ask("bob", "GET", `/api/messages/private/${ann.id}`, { token: bob.token });
heard = [next(bob.socket, "chat_marked_read"), next(ann.socket, "message_read_receipt")];
bob.socket.emit("mark_chat_read", { chat_id });
await Promise.all(heard);

// Marked again: nothing was unread, so Ann receives no receipt.
heard = next(bob.socket, "chat_marked_read");
bob.socket.emit("mark_chat_read", { chat_id });
await heard;

// A socket with another chat open does not receive messages of this chat.
const cem = await member("cem");
const other = open("bob elsewhere", { auth: { token: bob.token }, forceNew: true });
await next(other, "connected");
heard = next(other, "joined_private");
other.emit("join_private", { other_user_id: cem.id });
await heard;
heard = [next(bob.socket, "new_private_message"), next(other, "unread_count_update", ({ other_username }) => other_username === "ann")];
ann.socket.emit("send_private_message", { other_user_id: bob.id, content: "Which window?" });
await Promise.all(heard);
heard = next(other, "new_private_message");
cem.socket.emit("send_private_message", { other_user_id: bob.id, content: "This one." });
await heard;
await ask("ann", "GET", "/api/users/0", { token: ann.token });
await ask("ann", "DELETE", "/api/users/auth-user", { token: ann.token });

const left = next(bob.socket, "user_left", ({ username }) => username === "ann");
ann.socket.emit("leave_public");
await left;
const gone = next(ann.socket, "disconnect");
await ask("ann", "POST", "/api/auth/logout", { token: ann.token });
await gone;
process.exit();
