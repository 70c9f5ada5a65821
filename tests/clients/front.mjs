// What the front ends beside this file have in common: they ask by HTTP, open a socket, and tell what happens as JSON lines.

import { io } from "socket.io-client";

export const base = process.argv[2];

export function tell(what) {
    process.stdout.write(JSON.stringify(what) + "\n");
}

/** One request; its status and its JSON are told, the JSON is answered. */
export async function ask(who, method, path, { token, body } = {}) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const isForm = body instanceof FormData;
    if (body && !isForm) headers["Content-Type"] = "application/json";
    const response = await fetch(base + path, { method, headers, body: isForm ? body : JSON.stringify(body) });
    const json = await response.json();
    tell({ who, did: `${method} ${path}`, status: response.status, json });
    return json;
}

/** A socket whose events are told as they come. */
export function open(who, options) {
    const socket = io(base, options);
    socket.onAny((event, value) => tell({ who, event, value }));
    return socket;
}

/** The value of the next event of that name that is as wanted. */
export function next(socket, event, wanted = () => true) {
    return new Promise((resolve) => {
        const hear = (value) => {
            if (!wanted(value)) return;
            socket.off(event, hear);
            resolve(value);
        };
        socket.on(event, hear);
    });
}
