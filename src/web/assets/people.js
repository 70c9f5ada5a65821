// People the page has heard of, and what they are called by `@`.

import { get, me, nameOf, say } from "./page.js";
import { nameKey } from "./text.js";

const known = new Map();
/** Who was asked for: promises that are kept when the answer has come. */
const asked = new Map();

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
    else ask(id).then(() => known.has(id) && again());
  }
  return called;
}

/** What somebody is called; whoever is not there any more is a deleted user. */
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
