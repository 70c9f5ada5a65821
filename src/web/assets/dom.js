// Helpers for DOM elements and times. Text is only ever inserted as text, never as HTML.

import { initials } from "./text.js";

/**
 * Returns the result of `make`, or `fallback` if it throws. Invalid external values, or storage blocked by the browser,
 * must not stop the page.
 */
export function attempt(make, fallback = null) {
  try {
    return make();
  } catch {
    return fallback;
  }
}

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Clones the first element of a <template>. */
export const fromTemplate = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/** Creates an element with a class and children (elements and texts). */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Sets the text only if it differs, to avoid flicker and repeated announcements by screen readers. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/**
 * Returns the URL if it is a file of this server in the form in which the server writes it, else null. Nothing else is
 * loaded: other hosts would learn who reads here, and other paths of this server have side effects. Same rule as in the
 * server's model/address.rs; tests/addresses.json tests both.
 */
export function ownFile(address) {
  const parts = /^\/files\/([1-9]\d{0,18})\/((?:[\w.~-]|%(?!2[ef]|5c|[01]|7f)[\da-f]{2})+)(?:\?k=[\w.~-]+)?$/i.exec(address ?? "");
  const good = parts && address.startsWith("/files/") && BigInt(parts[1]) < 2n ** 63n && !/^\.\.?$/.test(parts[2]);
  return good ? address : null;
}

/** Fills in an avatar: a picture, or initials on a colour derived from the id. */
export function setFace(face, name, id, kind = "person", picture = null) {
  face.className = `face hue-${id % 12} of-${kind}`;
  const src = ownFile(picture);
  if (!src) return setText(face, initials(name));
  if (face.querySelector("img")?.getAttribute("src") === src) return;
  const image = new Image();
  image.alt = "";
  image.src = src;
  face.replaceChildren(image);
}

const lang = document.documentElement.lang;
// The reader's own conventions (24 hours, order of day and month), if they are for the page's language.
const wished = navigator.languages?.find((one) => one.startsWith(lang)) ?? lang;
// `undefined` selects the browser's default.
export const locale = attempt(() => Intl.getCanonicalLocales(wished)[0]) ?? undefined;
const format = (options) => new Intl.DateTimeFormat(locale, options);
const formats = {
  clock: format({ timeStyle: "short" }),
  dayAndClock: format({ weekday: "short", hour: "numeric", minute: "2-digit" }),
  weekday: format({ weekday: "short" }),
  date: format({ day: "numeric", month: "short" }),
  dateAndYear: format({ day: "numeric", month: "short", year: "numeric" }),
  day: format({ weekday: "long", day: "numeric", month: "long" }),
  dayAndYear: format({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
  short: format({ dateStyle: "medium", timeStyle: "short" }),
  long: format({ dateStyle: "full", timeStyle: "short" }),
};

const numbers = new Intl.NumberFormat(locale);

/** Formats a number in the locale: 4,000. */
export const numberLabel = (number) => numbers.format(number);

/** Formats a time; returns "" if it is invalid. */
const written = (form, iso) => attempt(() => formats[form].format(new Date(iso)), "");

/** Returns local midnight before a time, as a number; equal for two times on one day. */
export const dayOf = (iso) => new Date(iso).setHours(0, 0, 0, 0);

/** Returns the number of days since a time: 0 is today. */
export const daysAgo = (iso) => Math.round((dayOf(Date.now()) - dayOf(iso)) / 86_400_000);

const isThisYear = (iso) => new Date(iso).getFullYear() === new Date(Date.now()).getFullYear();

export const longDay = (iso) => written(isThisYear(iso) ? "day" : "dayAndYear", iso);

/** Calls a listener when a new day has begun: at midnight, or when the page wakes up later. */
export function onNewDay(listener) {
  let today = dayOf(Date.now());
  const look = () => {
    if (dayOf(Date.now()) === today) return;
    today = dayOf(Date.now());
    listener();
  };
  setInterval(look, 20_000);
  document.addEventListener("visibilitychange", look);
}

/**
 * Whether an input method is composing text; its keys must be ignored. Safari reports the last one only by key code
 * 229.
 */
export const isComposing = ({ isComposing: composing, keyCode }) => composing || keyCode === 229;

/** Shows the time of a message in the reader's time zone. */
export function setClock(element, iso) {
  element.dateTime = iso;
  element.title = written("long", iso);
  setText(element, written("clock", iso));
}

/** Shows any other time in the reader's time zone, with the day unless it is today. */
export function setLong(element) {
  const iso = element.dateTime;
  const days = daysAgo(iso);
  element.title = written("long", iso);
  setText(element, written(days === 0 ? "clock" : days > 0 && days < 7 ? "dayAndClock" : "short", iso));
}

/** Shows a time in the list of rooms, where older ones have only a date. */
export function setWhen(element, iso) {
  const days = daysAgo(iso);
  element.dateTime = iso;
  element.title = written("long", iso);
  const date = isThisYear(iso) ? "date" : "dateAndYear";
  setText(element, written(days < 1 ? "clock" : days < 7 ? "weekday" : date, iso));
}
