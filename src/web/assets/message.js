// A message's element: takes over what the server wrote, and writes the same.

import { fileNodes } from "./attached.js";
import { $, fromTemplate, make, setClock, setFace, setText } from "./dom.js";
import { render } from "./markup.js";
import { me, nameOf, say } from "./page.js";
import { calledIn, meet } from "./people.js";

/** So many people are named of each reaction; the server does the same. */
const NAMED = 8;

/** Takes over what the server wrote. */
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

/** A new element for a message. */
export const build = (message) => fill({ node: fromTemplate("message-template"), day: null }, message);

/** Writes a message into its element. */
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

/** Whoever is at one of them with the keyboard stays there. */
function fillReactions(list, buttons) {
  const { emoji } = list.contains(document.activeElement) ? document.activeElement.dataset : {};
  list.replaceChildren(...buttons);
  if (emoji) buttons.find(({ dataset }) => dataset.emoji === emoji)?.focus({ preventScroll: true });
}

/** What stands above an answer: { id, sender, content, deleted }. */
export function quote({ id, sender, content, deleted }) {
  const link = make("a", "quote", make("span", "quote-name", nameOf(sender)), make("span", "quote-text"));
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

/** The line above the first message of a day. */
export function dayItem(words) {
  return make("li", "day", make("span", "", words));
}
