// Unsent messages of the open room, below the others: in progress, or refused and waiting for a decision.

import { sizeLabel } from "./attached.js";
import { $, fromTemplate, make, setClock, setText } from "./dom.js";
import { render } from "./markup.js";
import { quote } from "./message.js";
import { page, say } from "./page.js";

const REASONS = {
  forbidden: "error_forbidden",
  not_found: "error_forbidden",
  muted: "error_muted",
  full: "error_full",
  quota: "error_quota",
  too_large: "error_file_limit",
  proxy_limit: "error_proxy_limit",
  proxy: "error_proxy",
  interrupted: "error_interrupted",
  invalid: "error_refused",
  limited: "error_limited",
  busy: "error_busy",
  internal: "error_busy",
  unavailable: "error_unavailable",
  csrf: "error_outdated",
  unauthenticated: "error_outdated",
  session_ended: "error_outdated",
  offline: "offline_queue",
};
/** Texts that replace those above for messages with files. */
const OF_FILES = { forbidden: "error_no_files", invalid: "error_file_refused" };

/** Returns the reason of a refusal as a sentence. */
export function reasonOf({ error, status, files }) {
  const key = (files && OF_FILES[error]) ?? REASONS[error] ?? "error_other";
  return say(key, { n: status, size: sizeLabel(page.room.files?.max_size ?? 0) });
}

export class Pending {
  #list = $("#pending");
  #outbox;
  #uploads;
  #timeline;
  #composer;

  constructor(outbox, uploads, timeline, composer) {
    this.#composer = composer;
    this.#outbox = outbox;
    this.#uploads = uploads;
    this.#timeline = timeline;
    outbox.on("changed", () => this.#show());
    uploads.on("changed", () => this.#show());
    uploads.on("progress", ({ uuid, progress }) => {
      const bar = $(`[data-uuid="${uuid}"] progress`, this.#list);
      if (bar) bar.value = progress;
    });
    this.#list.addEventListener("click", ({ target }) => this.#decide(target));
    this.#show();
  }

  #show() {
    const bottom = this.#timeline.atBottom;
    const waiting = [...this.#outbox.of(page.room.id), ...this.#uploads.of(page.room.id)];
    waiting.sort((a, b) => a.at.localeCompare(b.at));
    this.#list.replaceChildren(...waiting.map(item));
    if (bottom) this.#timeline.toBottom();
  }

  #decide(target) {
    const what = target.dataset.do;
    if (what === "edit" && !this.#composer.open) return;
    const uuid = target.closest(".message")?.dataset.uuid;
    for (const sender of [this.#outbox, this.#uploads]) {
      if (!sender.of(page.room.id).some((entry) => entry.uuid === uuid)) continue;
      if (what === "retry") sender.retry(uuid);
      if (what === "edit") this.#composer.take(sender.of(page.room.id).find((entry) => entry.uuid === uuid));
      if (what === "edit" || what === "discard") sender.discard(uuid);
    }
  }
}

function item(entry) {
  const { uuid, content, reply, at, files, progress, error } = entry;
  const node = fromTemplate("message-template");
  node.removeAttribute("id");
  node.dataset.uuid = uuid;
  node.classList.add("own", error ? "failed" : "pending");
  if (reply) $(".quoted", node).append(quote(reply));
  if (files) $(".files", node).append(...files.map(({ name, size }) => fileBox(name, size)));
  $(".text", node).append(render(content));
  setClock($("time", node), at);
  if (error) node.append(refused(entry));
  else if (files) node.append(onTheWay(progress));
  return node;
}

const fileBox = (name, size) =>
  make("span", "file", make("span", "file-name", name), make("span", "file-size", sizeLabel(size)));

function onTheWay(progress) {
  const tools = fromTemplate("upload-tools");
  $("progress", tools).value = progress;
  return tools;
}

function refused(entry) {
  const tools = fromTemplate("pending-tools");
  const isEdit = entry.op === "edit";
  setText($(".why", tools), `${say(isEdit ? "change_not_saved" : "not_sent")}. ${reasonOf(entry)}`);
  $("[data-do=edit]", tools).hidden = isEdit;
  return tools;
}
