// Files for the next message: chosen, dropped or pasted; listed in a tray; refused by the same rules as on the server.

import { keepsMetadata, sizeLabel } from "./attached.js";
import { $, make, setText } from "./dom.js";
import { page, say } from "./page.js";

/** Size of a preview in the tray, pixels; displayed at half that size on dense screens. */
const THUMB = 96;

export class Attach {
  #limits = page.room.files;
  #tray = $("#tray");
  #refusal = $("#refusal");
  #changed;
  files = [];

  /** `changed` is called with the files whenever the user has changed them. */
  constructor(field, changed) {
    this.#changed = changed;
    if (!this.#limits) return;
    const picker = $("#picker");
    // Without this script the form has its own file input.
    $("#attach").hidden = false;
    $("#attach").addEventListener("click", () => picker.click());
    picker.addEventListener("change", () => {
      this.add(picker.files);
      picker.value = "";
      field.focus();
    });
    field.addEventListener("paste", (event) => this.#paste(event));
    this.#tray.addEventListener("click", ({ target }) => this.#remove(target.closest("button")?.dataset.place));
    this.#takeDrops($(".talk"), field);
  }

  clear() {
    this.files = [];
    this.#show("");
    this.#changed(this.files);
  }

  /** Puts stored files before the current ones. */
  restore(files) {
    if (!this.#limits || !files.length) return;
    this.files = [...files, ...this.files];
    this.#show("");
  }

  /** Shows a warning until something changes. */
  warn(text) {
    this.#say(text);
  }

  add(files) {
    const refused = [];
    for (const file of files) {
      const reason = this.#reason(file);
      if (reason) refused.push(`${file.name}: ${reason}`);
      else this.files.push(file);
    }
    this.#show(refused.join("\n"));
    if (refused.length < files.length) this.#changed(this.files);
  }

  #reason({ size, type }) {
    const { max_size, max_count, types } = this.#limits;
    const fits = (allowed) => (allowed.endsWith("/*") ? type.startsWith(allowed.slice(0, -1)) : type === allowed);
    if (size > max_size) return say("file_too_large", { size: sizeLabel(max_size) });
    if (types && type && !types.some(fits)) return say("file_type_refused");
    if (this.files.length >= max_count) return say("file_too_many", { n: max_count });
    return null;
  }

  #remove(place) {
    if (place === undefined) return;
    this.files.splice(Number(place), 1);
    this.#show("");
    this.#changed(this.files);
  }

  #show(refusal) {
    if (!this.#tray) return;
    this.#tray.replaceChildren(...this.files.map(trayItem));
    this.#tray.hidden = !this.files.length;
    this.#say(refusal);
  }

  #say(text) {
    setText(this.#refusal, text);
    this.#refusal.hidden = !text;
  }

  /** Attaches pasted pictures. If there is also text, as from word processors, the text is pasted instead. */
  #paste(event) {
    const { files, types } = event.clipboardData;
    if (!files.length || types.includes("text/plain")) return;
    event.preventDefault();
    this.add(files);
  }

  /** Handles drops on the whole page: a file dropped beside the target would make the browser leave the page. */
  #takeDrops(place, field) {
    const area = document.body;
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    const mark = (on) => place.classList.toggle("dropping", on);
    area.addEventListener("dragover", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      mark(true);
    });
    area.addEventListener("dragleave", (event) => event.relatedTarget || mark(false));
    area.addEventListener("drop", (event) => {
      mark(false);
      if (!hasFiles(event)) return;
      event.preventDefault();
      this.add(event.dataTransfer.files);
      field.focus();
    });
  }
}

function trayItem(file, place) {
  const remove = make("button", "tool", "×");
  remove.type = "button";
  remove.dataset.place = place;
  remove.setAttribute("aria-label", say("remove_file", { name: file.name }));
  const note = keepsMetadata(file.type) ? [make("span", "file-note", say("uncleaned_note"))] : [];
  const name = make("bdi", "file-name", file.name);
  return make("li", "file", ...preview(file), name, make("span", "file-size", sizeLabel(file.size)), remove, ...note);
}

/** Draws a preview on a canvas. A blob URL would violate the content security policy. */
function preview(file) {
  if (!file.type.startsWith("image/")) return [];
  const canvas = make("canvas", "thumb");
  canvas.width = canvas.height = THUMB;
  canvas.setAttribute("aria-hidden", "true");
  createImageBitmap(file).then((picture) => draw(canvas, picture), () => canvas.remove());
  return [canvas];
}

/** Draws the middle square of a picture. */
function draw(canvas, picture) {
  const side = Math.min(picture.width, picture.height);
  const at = [(picture.width - side) / 2, (picture.height - side) / 2];
  canvas.getContext("2d").drawImage(picture, ...at, side, side, 0, 0, THUMB, THUMB);
  picture.close();
}
