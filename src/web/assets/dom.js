// Small tools for the page's elements and for times. Text only ever goes in as text.

import { initials } from "./text.js";

/**
 * What `make` returns, or `fallback` if it throws: a bad value from outside, or a storage that a browser locks, must not
 * stop the page.
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

/** A new element of what stands in a <template>. */
export const fromTemplate = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/** A new element with a class and with what is in it: elements and texts. */
export function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** Changes the text only if it is another one, so that nothing flickers or is read out again. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/**
 * The address if it is that of a file of this server, as the server writes it; else null. Nothing else is loaded: other
 * hosts would be told who reads here, and other paths of this server do things. The server's model/address.rs has the
 * same rule; tests/addresses.json holds both to it.
 */
export function ownFile(address) {
  const parts = /^\/files\/([1-9]\d{0,18})\/((?:[\w.~-]|%(?!2[ef]|5c|[01]|7f)[\da-f]{2})+)(?:\?k=[\w.~-]+)?$/i.exec(address ?? "");
  const good = parts && address.startsWith("/files/") && BigInt(parts[1]) < 2n ** 63n && !/^\.\.?$/.test(parts[2]);
  return good ? address : null;
}

/** Fills in a face: whose letters, on which colour, of a person or a kind of room; or their picture. */
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
// The reader's own habits (24 hours, order of day and month), if they are in the page's language.
const wished = navigator.languages?.find((one) => one.startsWith(lang)) ?? lang;
// None is the browser's own.
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

/** A number as it is written here: 4,000. */
export const numberLabel = (number) => numbers.format(number);

/** A time in one of these forms; nothing if it is none. */
const written = (form, iso) => attempt(() => formats[form].format(new Date(iso)), "");

/** Local midnight before that time, as a number: two times of one day have the same. */
export const dayOf = (iso) => new Date(iso).setHours(0, 0, 0, 0);

/** How many days ago that was: 0 is today. */
export const daysAgo = (iso) => Math.round((dayOf(Date.now()) - dayOf(iso)) / 86_400_000);

const isThisYear = (iso) => new Date(iso).getFullYear() === new Date(Date.now()).getFullYear();

export const longDay = (iso) => written(isThisYear(iso) ? "day" : "dayAndYear", iso);

/** Calls a listener when another day has begun: at midnight, or when the page wakes up on a later one. */
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

/** Whether an input method is at work: its keys do nothing else. Safari says so of its last one by a code only. */
export const isComposing = ({ isComposing: composing, keyCode }) => composing || keyCode === 229;

/** Puts a <time> of a message into the reader's zone. */
export function setClock(element, iso) {
  element.dateTime = iso;
  element.title = written("long", iso);
  setText(element, written("clock", iso));
}

/** Puts any other <time> into the reader's zone, with its day unless that is today. */
export function setLong(element) {
  const iso = element.dateTime;
  const days = daysAgo(iso);
  element.title = written("long", iso);
  setText(element, written(days === 0 ? "clock" : days > 0 && days < 7 ? "dayAndClock" : "short", iso));
}

/** The same for the list of rooms, where days count more than minutes. */
export function setWhen(element, iso) {
  const days = daysAgo(iso);
  element.dateTime = iso;
  element.title = written("long", iso);
  const date = isThisYear(iso) ? "date" : "dateAndYear";
  setText(element, written(days < 1 ? "clock" : days < 7 ? "weekday" : date, iso));
}
