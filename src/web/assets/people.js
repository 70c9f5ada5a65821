// Cache of people, used for names in mentions and reactions.

import { get, me, nameOf, say } from "./page.js";
import { nameKey } from "./text.js";

const known = new Map();
/** Promises of requests by id, kept after the response has arrived. */
const asked = new Map();

export function meet(person) {
  known.set(person.id, person);
}

export const personOf = (id) => known.get(id);

/**
 * Returns the keys of the user names mentioned in a message, each with whether it is the caller's. People not in the
 * cache are requested; then `again` is called.
 */
export function calledIn({ mentions, mentions_room }, again) {
  const called = new Map(mentions_room ? [["room", true]] : []);
  for (const id of mentions) {
    const person = known.get(id);
    if (person) called.set(nameKey(person.username), id === me.id);
    else ask(id).then(() => known.has(id) && again());
  }
  return called;
}

/** Resolves with the displayed name of a person. An account that does not exist is a deleted user. */
export async function nameById(id) {
  if (id === me.id) return say("you");
  if (!known.has(id)) await ask(id);
  return known.has(id) ? nameOf(known.get(id)) : say("deleted_user");
}

function ask(id) {
  const forget = ({ status }) => status === 404 || asked.delete(id);
  if (!asked.has(id)) asked.set(id, get(`users/${id}`).then(meet).catch(forget));
  return asked.get(id);
}
