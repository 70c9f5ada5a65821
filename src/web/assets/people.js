// People the page has heard of, and what they are called by `@`.

import { nameKey } from "./markup.js";
import { get, me } from "./page.js";

const known = new Map();
const asked = new Set();

export function meet(person) {
  known.set(person.id, person);
}

export const personOf = (id) => known.get(id);

/**
 * The keys of the usernames that a message calls, and whether that is me. Who is not known is asked for; then `again`
 * is called.
 */
export function calledIn({ mentions, mentions_room }, again) {
  const called = new Map(mentions_room ? [["room", true]] : []);
  for (const id of mentions) {
    const person = known.get(id);
    if (person) called.set(nameKey(person.username), id === me.id);
    else ask(id, again);
  }
  return called;
}

async function ask(id, again) {
  if (asked.has(id)) return;
  asked.add(id);
  try {
    meet(await get(`users/${id}`));
    again();
  } catch {
    // Then the name stands there like any other word.
  }
}
