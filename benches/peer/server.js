// What somebody would write by hand: a small chat over ws and better-sqlite3, with as much of Parlor's own protocol as the
// load generator speaks. It checks nothing but the token, and syncs as it is told: mostly only when the log is moved (NORMAL).

const http = require("node:http");
const { randomBytes } = require("node:crypto");
const { WebSocketServer } = require("ws");
const Database = require("better-sqlite3");

const flag = (name) => process.argv[process.argv.indexOf(name) + 1];
const db = new Database(flag("--db"));
db.pragma("journal_mode = WAL");
db.pragma(`synchronous = ${flag("--synchronous")}`);
db.exec(`
  CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT UNIQUE, token TEXT UNIQUE);
  CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT);
  CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, uuid TEXT UNIQUE, room INTEGER, user INTEGER, content TEXT, at INTEGER);
  CREATE INDEX messages_room ON messages (room, id);
`);
const newUser = db.prepare("INSERT INTO users (username, token) VALUES (?, ?)");
const newRoom = db.prepare("INSERT INTO rooms (name) VALUES (?)");
const newMessage = db.prepare("INSERT INTO messages (uuid, room, user, content, at) VALUES (?, ?, ?, ?, ?)");

const people = new Map();
const rooms = new Map();

function answer(url, body) {
  if (url.startsWith("/api/v1/auth/")) {
    const token = randomBytes(16).toString("hex");
    const id = newUser.run(body.username, token).lastInsertRowid;
    people.set(token, { id, username: body.username });
    return { access_token: token };
  }
  if (url === "/api/v1/rooms") return { id: newRoom.run(body.name).lastInsertRowid };
  return {};
}

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = chunks.length ? JSON.parse(Buffer.concat(chunks)) : {};
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer(request.url, body)));
  });
});

function hear(socket, me, frame) {
  if (frame.op === "resume") {
    if (!rooms.has(frame.room)) rooms.set(frame.room, new Set());
    rooms.get(frame.room).add(socket);
    socket.send(JSON.stringify({ re: frame.id, ok: {} }));
    return;
  }
  const at = Date.now();
  const { uuid, room, content } = frame;
  const id = newMessage.run(uuid, room, me.id, content, at).lastInsertRowid;
  const message = { id, uuid, room, sender: me, content, created_at: new Date(at).toISOString() };
  const event = Buffer.from(JSON.stringify({ event: "message", message }));
  for (const member of rooms.get(room)) member.send(event, { binary: false });
  socket.send(JSON.stringify({ re: frame.id, ok: { message, new: true } }));
}

const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
server.on("upgrade", (request, raw, head) => {
  const me = people.get((request.headers.authorization ?? "").slice("Bearer ".length));
  if (!me) return raw.destroy();
  sockets.handleUpgrade(request, raw, head, (socket) => {
    socket.on("message", (data) => hear(socket, me, JSON.parse(data)));
    socket.on("error", () => {});
    socket.on("close", () => rooms.forEach((members) => members.delete(socket)));
  });
});

const [host, port] = flag("--listen").split(":");
server.listen(Number(port), host);
