// Element of a message: adopts those rendered by the server, and renders the same.

import { fileNodes } from "./attached.js";
import { $, daysAgo, fromTemplate, longDay, make, setClock, setFace, setText } from "./dom.js";
import { render } from "./markup.js";
import { me, nameOf, say } from "./page.js";
import { calledIn, meet } from "./people.js";

/** Maximum number of people named per reaction; the server uses the same limit. */
const NAMED = 8;

/** Creates the entry of a message that the server rendered. */
export function adopt(node) {
  const time = $("time", node);
  const text = $(".text", node);
  setClock(time, time.dateTime);
  return {
    id: Number(node.dataset.id),
    change: Number(node.dataset.change),
    sender: Number(node.dataset.sender),
    name: $(".name", node).textContent,
    at: node.dataset.at,
    own: node.classList.contains("own"),
    deleted: node.classList.contains("gone"),
    text: text.dataset.source ?? text.textContent,
    node,
    day: null,
  };
}

/** Creates the entry and element of a message. */
export const build = (message) => fill({ node: fromTemplate("message-template"), day: null }, message);

/** Updates an element from its message. */
export function fill(entry, message) {
  const { node } = entry;
  const { sender } = message;
  const deleted = Boolean(message.deleted_at);
  const own = sender.id === me.id;
  meet(sender);
  Object.assign(entry, {
    id: message.id,
    change: message.change_id,
    sender: sender.id,
    name: nameOf(sender),
    at: message.created_at,
    text: message.content,
    own,
    deleted,
  });
  node.id = `m${message.id}`;
  Object.assign(node.dataset, { id: message.id, change: message.change_id, sender: sender.id, at: message.created_at });
  node.classList.remove("waiting");
  node.classList.toggle("own", own);
  node.classList.toggle("gone", deleted);
  node.classList.toggle("edited", Boolean(message.edited_at) && !deleted);
  node.classList.toggle("calls", message.mentions_room || message.mentions.includes(me.id));
  setText($(".name", node), entry.name);
  setFace($(".face", node), sender.display_name, sender.id, "person", sender.avatar_url);
  setClock($("time", node), message.created_at);
  fillBody(node, message);
  return entry;
}

function fillBody(node, message) {
  const { reply, files, reactions, content } = message;
  $(".quoted", node).replaceChildren(...(reply ? [quote(reply)] : []));
  $(".files", node).replaceChildren(...files.flatMap((file) => fileNodes(file, message.sender.id === me.id)));
  fillReactions($(".reactions", node), reactions.map(reaction));
  if (message.deleted_at) return $(".text", node).replaceChildren(make("p", "", say("deleted_message")));
  const write = () => $(".text", node).replaceChildren(render(content, calledIn(message, write)));
  write();
}

/** Replaces the reactions; a focused one keeps the focus. */
function fillReactions(list, buttons) {
  const { emoji } = list.contains(document.activeElement) ? document.activeElement.dataset : {};
  list.replaceChildren(...buttons);
  if (emoji) buttons.find(({ dataset }) => dataset.emoji === emoji)?.focus({ preventScroll: true });
}

/** Creates the quote above a reply from { id, sender, content, deleted }. */
export function quote({ id, sender, content, deleted }) {
  const link = make("a", "quote", make("bdi", "quote-name", nameOf(sender)), make("bdi", "quote-text"));
  link.href = `?at=${id}#m${id}`;
  link.dataset.to = id;
  setText(link.lastChild, deleted ? say("deleted_message") : content);
  return link;
}

function reaction({ emoji, count, user_ids }) {
  const button = make("button", "reaction", `${emoji} `, make("span", "reaction-count", String(count)));
  button.type = "button";
  button.dataset.emoji = emoji;
  button.dataset.people = user_ids.slice(0, NAMED).join();
  button.setAttribute("aria-pressed", String(user_ids.includes(me.id)));
  return button;
}

/** Creates the separator above the first message of a day. */
export const dayItem = (iso) => make("li", "day", make("span", "", dayName(iso)));

/** Returns the label of a day: today, yesterday, or its date. */
export const dayName = (iso) => [say("today"), say("yesterday")][daysAgo(iso)] ?? longDay(iso);

/** Shows an edit that the server has not confirmed. */
export function showEdit(entry, content) {
  entry.text = content;
  entry.node.classList.add("edited");
  $(".text", entry.node).replaceChildren(render(content));
}

/** Shows a deletion that the server has not confirmed. */
export function showDeletion(entry) {
  const { node } = entry;
  entry.deleted = true;
  node.classList.add("gone");
  node.classList.remove("edited");
  for (const part of [".quoted", ".files", ".reactions"]) $(part, node).replaceChildren();
  $(".text", node).replaceChildren(make("p", "", say("deleted_message")));
}

/** Shows an own reaction that the server has not confirmed. */
export function showReaction({ node }, emoji, on) {
  const list = $(".reactions", node);
  const known = [...list.children].find((one) => one.dataset.emoji === emoji);
  if ((known?.getAttribute("aria-pressed") === "true") === on) return;
  if (!known) return list.append(reaction({ emoji, count: 1, user_ids: [me.id] }));
  const left = Number($(".reaction-count", known).textContent) + (on ? 1 : -1);
  if (!left) return known.remove();
  setText($(".reaction-count", known), String(left));
  const others = known.dataset.people.split(",").filter((id) => id && Number(id) !== me.id);
  known.dataset.people = (on ? [...others, me.id] : others).join();
  known.setAttribute("aria-pressed", String(on));
}
