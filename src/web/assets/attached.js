// Attachments of a message; the server renders the same.

import { make, ownFile } from "./dom.js";
import { say } from "./page.js";

/** Maximum width and height of a displayed picture, pixels; thumbnails are no larger. */
const SHOWN_MAX = 400;

const KIB = 1024;
const MIB = 1024 * KIB;

/** Formats a size like `48 KiB` or `1.2 MiB`, rounded up, in the units of the limits. */
export function sizeLabel(bytes) {
  if (bytes < KIB) return `${bytes} B`;
  if (bytes < MIB) return `${Math.ceil(bytes / KIB)} KiB`;
  return `${Math.ceil((bytes * 10) / MIB) / 10} MiB`;
}

/** Returns the elements for a file; `mine` if the reader sent it. */
export function fileNodes(file, mine) {
  const own = ownFile(file.url);
  const note = noteOf(file, mine);
  const node = own ? ownNode(file, own) : card(file, /^https?:\/\//i.test(file.url) ? file.url : null);
  return note ? [node, make("p", "file-note", say(note))] : [node];
}

/** Creates a link with the name and size of a file. */
export function card({ name, size }, url) {
  const label = typeof size === "number" ? sizeLabel(size) : size;
  const link = make("a", "file", make("bdi", "file-name", name), make("span", "file-size", label));
  return url ? lead(link, url) : link;
}

/** Shows a file of this server. Files on other hosts are only links. */
function ownNode(file, url) {
  const { kind, width, playable, cleaned, animated } = file;
  if (kind === "video" || kind === "audio") return playable ? player(file, url) : card(file, url);
  if (kind !== "picture" || !width || !cleaned) return card(file, url);
  const still = ownFile(file.thumbnail_url);
  if (playable && still) return moving(file, url, still);
  const link = lead(make("a", "picture", picture(still ?? url, file)), url);
  if (animated) link.append(make("span", "animated", say("animated")));
  return link;
}

/** Returns the key of the note below a file, or null. */
function noteOf({ kind, media_type, playable, cleaned }, mine) {
  if (mine && !cleaned && (kind !== "other" || holdsAuthors(media_type))) return "uncleaned_note";
  if (/^image\/hei[cf]$/.test(media_type) && kind === "picture") return "heic_note";
  return (kind === "video" || kind === "audio") && !playable ? "unplayable_note" : null;
}

/** Whether it is a document whose metadata the server cannot remove; same rule as in the server's model/media.rs. */
const holdsAuthors = (type) => /^application\/(pdf$|rtf$|msword$|vnd\.)/.test(type);

/**
 * Types whose metadata the server removes. The server looks at the content; this only at the type the browser derives
 * from the name.
 */
const CLEANED =
  /^(image\/(jpeg|png|gif|webp|avif|hei[cf]|jxl|jp2)|video\/(mp4|quicktime|webm|ogg|3gpp|x-msvideo|avi|vnd\.avi|(x-)?matroska)|audio\/(mpeg|mp3|mp4|x-m4a|ogg|opus|webm|aac|(x-)?(flac|wav)))$/;

/** Whether a file that is about to be sent may keep metadata about its sender. */
export const keepsMetadata = (type) => holdsAuthors(type) || (/^(image|video|audio)\//.test(type) && !CLEANED.test(type));

const lead = (link, href) => Object.assign(link, { href, target: "_blank", rel: "noopener" });

function player(file, url) {
  const { kind, name, size, width, height } = file;
  const media = document.createElement(kind);
  Object.assign(media, { controls: true, preload: "metadata", src: url });
  media.setAttribute("aria-label", name);
  if (kind === "video") {
    media.setAttribute("playsinline", "");
    if (width) Object.assign(media, fitted(width, height));
  }
  const link = Object.assign(lead(make("a", "file-name", name), url), { dir: "auto" });
  return make("figure", "player", media, make("figcaption", "", link, make("span", "file-size", sizeLabel(size))));
}

/** Creates an animation: its first frame for `prefers-reduced-motion`, and a button that starts and stops it. */
function moving(file, url, still) {
  const source = document.createElement("source");
  Object.assign(source, { media: "(prefers-reduced-motion: reduce)", srcset: still });
  const link = lead(make("a", "picture", make("picture", "", source, picture(url, file))), url);
  const button = make("button", "motion");
  Object.assign(button, { type: "button", title: say("play_pause") });
  button.setAttribute("aria-label", button.title);
  return make("span", "moving", link, button);
}

/** Creates an image with its size, so that the page does not shift when it loads. */
function picture(src, { name, width, height }) {
  const image = document.createElement("img");
  return Object.assign(image, { loading: "lazy", decoding: "async", ...fitted(width, height), alt: name, src });
}

function fitted(width, height) {
  const scale = SHOWN_MAX / Math.max(width, height, SHOWN_MAX);
  const fit = (side) => Math.max(1, Math.floor(side * scale));
  return { width: fit(width), height: fit(height) };
}
