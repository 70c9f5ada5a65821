// A whole client of Parlor: node parlor.mjs http://localhost:8080 ann PASSWORD [ROOM]
// Shows what is said in your rooms, says what you type in ROOM (1: the lobby). Nothing is lost, nothing comes twice.
// Needs node 22, or node 20 with --experimental-websocket; in a browser all but `process` and `readline` is the same.
import { createInterface } from "node:readline";

const [server, username, password, place = "1"] = process.argv.slice(2);
const newest = new Map(), unsure = new Map(); // room → highest change_id seen; number → frame without answer
let socket, heard, number = 0;

async function signIn(way, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch(`${server}/api/v1/auth/${way}`, post);
  if (answer.status === 401) process.exit(console.error("wrong name or password, or logged out") ?? 1);
  return answer.ok ? answer.json() : Promise.reject(answer.statusText);
}

function show({ room_id, change_id, sender, content }) { // new, edited, deleted, or reacted to
  if (change_id > newest.get(room_id)) console.log(`[${room_id}] ${sender.username}: ${content}`);
  newest.set(room_id, Math.max(change_id, newest.get(room_id)));
}

const say = (frame) => socket?.readyState === 1 && socket.send(JSON.stringify(frame));
// What was missed, page by page; after the last page what comes.
const resume = (room) => say({ op: "resume", id: 0, room, after: newest.get(room) });

function follow({ id, name, unread = 0, change_id = 0 }) {
  console.log(`# ${id} ${name}, ${unread} unread`);
  newest.set(id, newest.get(id) ?? change_id);
  resume(id);
}

function hear({ event, re, ok = {}, error, message, room, rooms = [room] }) {
  heard = Date.now();
  if (["welcome", "rooms", "room_created"].includes(event)) return rooms.forEach(follow);
  if (message) return show(message);
  if (error?.code === "busy" || error?.code === "limited") return socket.close(); // and comes back in a moment
  if (error || ok.reset) console.log("!", error?.detail ?? "too much was missed");
  unsure.delete(re);
  ok.messages?.forEach(show);
  if (ok.more) resume(ok.room);
}

async function connect() {
  grant = await signIn("refresh", grant).catch(() => grant);
  const opened = new WebSocket(server.replace("http", "ws") + "/api/v1/ws");
  opened.onopen = () => {
    (socket = opened).send(JSON.stringify({ op: "auth", token: grant.access_token }));
    unsure.forEach(say);
  };
  opened.onmessage = ({ data }) => hear(JSON.parse(data));
  opened.onclose = () => setTimeout(connect, 1000); // again and again
}

createInterface({ input: process.stdin }).on("line", (content) => { // its uuid makes it safe to send a message again
  unsure.set(++number, { op: "send", id: number, room: +place, uuid: crypto.randomUUID(), content });
  say(unsure.get(number));
});
let grant = await signIn("login", { username, password });
setInterval(() => Date.now() - heard > 40_000 ? socket.close() : say({ op: "ping", id: 0 }), 15_000);
connect();
