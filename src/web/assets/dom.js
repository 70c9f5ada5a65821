// Small tools for the page's elements and for times. Text only ever goes in as text.

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

/** The first letters of the first two words; the server does the same. */
const initials = (name) =>
  name.split(/[^\p{L}\p{N}]+/u).filter(Boolean).slice(0, 2).map((word) => [...word][0].toUpperCase()).join("");

/** Fills in a face: whose letters, on which colour, of a person or a kind of room; or their picture. */
export function setFace(face, name, id, kind = "person", picture = null) {
  face.className = `face hue-${id % 12} of-${kind}`;
  // Other hosts' pictures are not loaded: it would tell them who reads here.
  if (!picture || new URL(picture, location.href).origin !== location.origin) return setText(face, initials(name));
  if (face.querySelector("img")?.getAttribute("src") === picture) return;
  const image = new Image();
  image.alt = "";
  image.src = picture;
  face.replaceChildren(image);
}

const lang = document.documentElement.lang;
// The reader's own habits (24 hours, order of day and month), if they are in the page's language.
const locale = navigator.languages?.find((one) => one.startsWith(lang)) ?? lang;
const format = (options) => new Intl.DateTimeFormat(locale, options);
const formats = {
  clock: format({ timeStyle: "short" }),
  dayAndClock: format({ weekday: "short", hour: "numeric", minute: "2-digit" }),
  weekday: format({ weekday: "short" }),
  date: format({ day: "numeric", month: "short" }),
  day: format({ weekday: "long", day: "numeric", month: "long" }),
  short: format({ dateStyle: "medium", timeStyle: "short" }),
  long: format({ dateStyle: "full", timeStyle: "short" }),
};

/** Local midnight before that time, as a number: two times of one day have the same. */
export const dayOf = (iso) => new Date(iso).setHours(0, 0, 0, 0);

/** How many days ago that was: 0 is today. */
export const daysAgo = (iso) => Math.round((dayOf(Date.now()) - dayOf(iso)) / 86_400_000);

export const longDay = (iso) => formats.day.format(new Date(iso));

/** Puts a <time> of a message into the reader's zone. */
export function setClock(element, iso) {
  element.dateTime = iso;
  element.title = formats.long.format(new Date(iso));
  setText(element, formats.clock.format(new Date(iso)));
}

/** Puts any other <time> into the reader's zone, with its day unless that is today. */
export function setLong(element) {
  const time = new Date(element.dateTime);
  const days = daysAgo(time);
  const shape = days === 0 ? formats.clock : days > 0 && days < 7 ? formats.dayAndClock : formats.short;
  element.title = formats.long.format(time);
  setText(element, shape.format(time));
}

/** The same for the list of rooms, where days count more than minutes. */
export function setWhen(element, iso) {
  const days = daysAgo(iso);
  const shape = days < 1 ? formats.clock : days < 7 ? formats.weekday : formats.date;
  element.dateTime = iso;
  element.title = formats.long.format(new Date(iso));
  setText(element, shape.format(new Date(iso)));
}
