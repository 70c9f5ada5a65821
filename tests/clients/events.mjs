// npm's socket.io-client, controlled by commands as JSON lines on stdin; events are written as JSON lines to stdout.
// Commands: {"open": {"url", …options}} (closes an open socket), {"emit": [name, …values]}, {"ask": [name, …values]},
// {"close": true}

import { createInterface } from "node:readline";
import { io } from "socket.io-client";

let socket;

function say(what) {
    const bytes = (_, value) => (value?.type === "Buffer" ? { bytes: value.data } : value);
    process.stdout.write(JSON.stringify(what, bytes) + "\n");
}

function open({ url, ...options }) {
    socket?.offAny().off().disconnect();
    socket = io(url, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200, ...options });
    socket.io.on("open", () => socket.io.engine.once("upgrade", (to) => say({ upgraded: to.name })));
    socket.on("connect", () => say({ connected: socket.io.engine.transport.name }));
    // `active`: the client will reconnect by itself.
    socket.on("connect_error", (error) => say({ refused: error.message, active: socket.active }));
    socket.on("disconnect", (reason) => say({ disconnected: reason, active: socket.active }));
    socket.onAny((event, ...values) => {
        const answer = typeof values.at(-1) === "function" ? values.pop() : null;
        say({ event, values });
        answer?.(...values);
    });
}

function told(values) {
    return values.map((value) => (value?.bytes ? Buffer.from(value.bytes) : value));
}

const orders = {
    open,
    emit: (values) => socket.emit(...told(values)),
    ask: (values) => socket.emit(...told(values), (...answer) => say({ answer })),
    close: () => socket.disconnect(),
};

for await (const line of createInterface({ input: process.stdin })) {
    const [[order, value]] = Object.entries(JSON.parse(line));
    orders[order](value);
}
process.exit();
