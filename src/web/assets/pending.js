// What I sent and nobody has seen yet, below the messages: on its way, or refused and waiting for a decision.

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
  too_large: "error_too_large",
  invalid: "error_refused",
  limited: "error_limited",
  busy: "error_busy",
  offline: "offline_queue",
};

export class Pending {
  #list = $("#pending");
  #outbox;
  #uploads;
  #timeline;

  constructor(outbox, uploads, timeline) {
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
    const uuid = target.closest(".message")?.dataset.uuid;
    for (const sender of [this.#outbox, this.#uploads]) {
      if (!sender.of(page.room.id).some((entry) => entry.uuid === uuid)) continue;
      if (what === "retry") sender.retry(uuid);
      if (what === "discard") sender.discard(uuid);
    }
  }
}

function item({ uuid, content, reply, at, files, progress, error }) {
  const node = fromTemplate("message-template");
  node.removeAttribute("id");
  node.dataset.uuid = uuid;
  node.classList.add("own", error ? "failed" : "pending");
  if (reply) $(".quoted", node).append(quote(reply));
  if (files) $(".files", node).append(...files.map(({ name, size }) => fileBox(name, size)));
  $(".text", node).append(render(content));
  setClock($("time", node), at);
  if (error) node.append(refused(error, files));
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

function refused(error, files) {
  const tools = fromTemplate("pending-tools");
  const reason = files && error === "forbidden" ? "error_no_files" : (REASONS[error] ?? "error_other");
  setText($(".why", tools), `${say("not_sent")}. ${say(reason)}`);
  return tools;
}
