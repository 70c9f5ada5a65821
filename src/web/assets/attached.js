// Files of messages as they are shown; the server does the same.

import { make, ownFile } from "./dom.js";

/** A picture takes at most so many pixels each way; thumbnails are no larger. */
const SHOWN_MAX = 400;

const KIB = 1024;
const MIB = 1024 * KIB;

/** `48 KiB`, `1.2 MiB`, rounded up, in the units of the limits. */
export function sizeLabel(bytes) {
  if (bytes < KIB) return `${bytes} B`;
  if (bytes < MIB) return `${Math.ceil(bytes / KIB)} KiB`;
  return `${Math.ceil((bytes * 10) / MIB) / 10} MiB`;
}

/** What one clicks on to get a file. */
export function fileLink({ name, url, size, width, height, thumbnail_url }) {
  const link = make("a", "file");
  // Only files of this server and addresses of others.
  const own = ownFile(url);
  if (!own && !/^https?:\/\//i.test(url)) return link;
  Object.assign(link, { href: url, target: "_blank", rel: "noopener" });
  if (width && own) {
    link.className = "picture";
    link.append(picture(ownFile(thumbnail_url) ?? own, name, width, height));
  } else {
    link.append(make("span", "file-name", name), make("span", "file-size", sizeLabel(size)));
  }
  return link;
}

/** Its place is known before it is there. */
function picture(src, alt, width, height) {
  const scale = SHOWN_MAX / Math.max(width, height, SHOWN_MAX);
  const fit = (side) => Math.max(1, Math.floor(side * scale));
  const image = document.createElement("img");
  return Object.assign(image, {
    loading: "lazy",
    decoding: "async",
    width: fit(width),
    height: fit(height),
    alt,
    src,
  });
}
