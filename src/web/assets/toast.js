// Toast: a line below the messages that disappears after a while.

import { $, setText } from "./dom.js";

/** Minimum duration, milliseconds. */
const SAID = 4000;
let timer = 0;

export function toast(text) {
  setText($("#toast"), text);
  clearTimeout(timer);
  timer = setTimeout(() => setText($("#toast"), ""), Math.max(SAID, text.length * 80));
}
