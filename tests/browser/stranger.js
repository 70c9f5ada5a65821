// Requests that a page of another web site makes to a server. The arguments are the server's address and a callback,
// which receives a list of [request, what the page could read].
const [base, done] = arguments;
const learnt = [];

const ask = async (method, path, body, more = {}) => {
  const headers = body ? { "content-type": "application/json" } : {};
  try {
    const reply = await fetch(base + path, { method, headers, body: body && JSON.stringify(body), ...more });
    learnt.push([`${method} ${path}`, String(reply.status || reply.type)]);
  } catch {
    learnt.push([`${method} ${path}`, "unreadable"]);
  }
};

const talk = (path, ...frames) =>
  new Promise((resolve) => {
    const socket = new WebSocket(base.replace("http", "ws") + path);
    const heard = [];
    const end = () => {
      learnt.push([`socket ${path}`, heard.join(" ")]);
      resolve();
    };
    socket.onopen = () => frames.forEach((frame) => socket.send(frame));
    socket.onmessage = ({ data }) => {
      if (data.startsWith("0{")) return;
      heard.push(data);
      socket.close();
    };
    socket.onclose = end;
  });

const poll = async () => {
  const path = base + "/socket.io/?EIO=4&transport=polling";
  const { sid } = JSON.parse((await (await fetch(path)).text()).slice(1));
  await fetch(`${path}&sid=${sid}`, { method: "POST", body: "40" });
  learnt.push(["polling", await (await fetch(`${path}&sid=${sid}`)).text()]);
};

const load = (tag, path) =>
  new Promise((resolve) => {
    const element = document.createElement(tag);
    element.referrerPolicy = "no-referrer";
    element.onload = element.onerror = resolve;
    element.src = base + path;
    document.body.append(element);
  });

const submit = (path, fields) =>
  new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.name = `frame${document.querySelectorAll("iframe").length}`;
    document.body.append(frame);
    frame.onload = resolve;
    const form = document.createElement("form");
    Object.assign(form, { method: "post", action: base + path, target: frame.name });
    for (const [name, value] of Object.entries(fields)) {
      const input = document.createElement("input");
      Object.assign(input, { name, value });
      form.append(input);
    }
    document.body.append(form);
    form.submit();
  });

const password = "correct horse";
const eve = { username: "eve", password, email: "eve@example.org" };
const tries = async () => {
  await ask("POST", "/api/v1/auth/guest", { username: "eve" });
  await ask("POST", "/api/v1/auth/register", eve);
  await ask("POST", "/api/register", { user_name: "eve", password });
  await ask("POST", "/api/auth/register", eve);
  await ask("POST", "/auth/register", { ...eve, name: "Eve", role: "admin" });
  await ask("POST", "/v1/user", { name: "eve" });
  await ask("DELETE", "/v1/messages");
  for (const credentials of ["omit", "include"]) {
    for (const path of [
      "/api/v1/me",
      "/api/v1/users",
      "/api/v1/rooms/1/messages",
      "/api/users",
      "/api/messages",
      "/api/rooms",
      "/api/user_list?room_id=1",
      "/api/chat_history?room_id=1",
      "/chat/admins",
      "/chat/users",
      "/v1/users",
      "/v1/messages",
      "/connected_users",
    ]) {
      await ask("GET", path, null, { credentials });
    }
    await ask("POST", "/api/v1/rooms/1/messages", { content: "trap" }, { credentials });
  }
  await talk("/api/v1/ws", JSON.stringify({ id: 1, op: "send", room: 1, content: "trap" }));
  await talk("/", JSON.stringify({ messageType: "IdMessage", meta: {}, payload: {} }));
  await talk("/ws/messages", JSON.stringify({ mtype: "message", content: "trap" }));
  await talk("/ws/notifications", JSON.stringify({ type: "trap", content: {} }));
  await talk("/socket.io/?EIO=4&transport=websocket", "40");
  await poll();
  await submit("/auth/guest", { username: "eve" });
  await submit("/auth/register", eve);
  await submit("/rooms/new", { name: "trap" });
  await submit("/auth/logout", {});
  for (const path of ["/auth/logout", "/logout"]) {
    for (const tag of ["img", "script", "iframe"]) await load(tag, path);
    const silently = { mode: "no-cors", credentials: "include", referrerPolicy: "no-referrer" };
    await fetch(base + path, silently).catch(() => {});
  }
};
tries().then(() => done(learnt), (error) => done([["the script", String(error)]]));
