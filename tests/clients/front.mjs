// Shared code of the front ends in this folder: HTTP requests and sockets, with all results written as JSON lines.

import { io } from "socket.io-client";

export const base = process.argv[2];

export function tell(what) {
    process.stdout.write(JSON.stringify(what) + "\n");
}

/** Sends a request, reports its status and JSON, and returns the JSON. */
export async function ask(who, method, path, { token, body } = {}) {
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const isForm = body instanceof FormData;
    if (body && !isForm) headers["Content-Type"] = "application/json";
    const response = await fetch(base + path, { method, headers, body: isForm ? body : JSON.stringify(body) });
    const json = await response.json();
    tell({ who, did: `${method} ${path}`, status: response.status, json });
    return json;
}

/** Opens a socket whose events are reported as they arrive. */
export function open(who, options) {
    const socket = io(base, options);
    socket.onAny((event, value) => tell({ who, event, value }));
    return socket;
}

/** Waits for the next event of that name for which `wanted` is true, and returns its value. */
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
