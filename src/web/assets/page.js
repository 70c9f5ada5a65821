// Data that the server wrote into the page for scripts: the caller, the open room, translations. Also API requests and
// uuids.

import { attempt } from "./dom.js";

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";

export const page = attempt(() => JSON.parse(meta("page")));
export const me = page?.me;
export const csrf = meta("csrf");

/** Returns a text with its placeholders filled: say("typing_one", { a: "Ann" }). */
export function say(key, values = {}) {
  const text = page.texts[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
}

/** Returns the singular or plural text. */
export const count = (one, many, n) => say(n === 1 ? one : many, { n });

/** Returns the displayed name of a person. Guests can choose any name, so they are marked. The server does the same. */
export function nameOf({ deleted, role, display_name }) {
  if (deleted) return say("deleted_user");
  return role === "guest" ? `${display_name} (${say("guest_badge")})` : display_name;
}

/** Returns the name of a room as the caller sees it. */
export function roomName(room) {
  if (room.kind !== "direct") return room.name;
  const other = room.people.find((person) => person.id !== me.id);
  return other ? nameOf(other) : say("deleted_user");
}

/**
 * Returns a version 7 UUID: ids of about the same time are adjacent in the server's index, random ones are spread over
 * it. crypto.randomUUID is missing on plain-HTTP pages.
 */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const [view, now] = [new DataView(bytes.buffer), Date.now()];
  view.setUint32(0, Math.floor(now / 0x10000));
  view.setUint16(4, now % 0x10000);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** GET request to the native API; throws { status } on errors. */
export async function get(path) {
  const response = await fetch(`/api/v1/${path}`, { headers: { accept: "application/json" } });
  if (!response.ok) throw { status: response.status };
  return response.json();
}

/** POST request to the native API; throws { status } on errors. */
export async function post(path, body) {
  const headers = { accept: "application/json", "content-type": "application/json", "x-csrf-token": csrf };
  const response = await fetch(`/api/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw { status: response.status };
  return response.json();
}
