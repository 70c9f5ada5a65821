// Checks the URLs of tests/addresses.json, and values of wrong types, with the page's own script, without a browser.
// Reports each one that is judged wrongly.

import { readFileSync } from "node:fs";

const file = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

globalThis.navigator ??= {};
globalThis.document = { documentElement: { lang: "no_such-language!" } };
globalThis.Image = class {};

const module = (name) => file(`../../src/web/assets/${name}.js`).replace(/^import .*$/gm, "");
const script = module("text").replace(/^export /gm, "") + module("dom");
const { ownFile, setClock, setFace, setLong, setWhen, longDay } = await import(
  `data:text/javascript,${encodeURIComponent(script)}`
);
const { own, others, neither } = JSON.parse(file("../addresses.json"));

/** Returns what an avatar shows: the source of its image, or its letter. */
function shown(picture) {
  const face = { querySelector: () => null, replaceChildren: (image) => (face.image = image.src) };
  setFace(face, "Ann", 1, "person", picture);
  return face.image ?? face.textContent;
}

for (const address of own) if (ownFile(address) !== address || shown(address) !== address) tell({ refused: address });
for (const address of [...others, ...neither, null, undefined, 7, {}]) {
  if (ownFile(address) !== null || shown(address) !== "A") tell({ accepted: String(address) });
}
for (const time of ["", "garbage", null, undefined, "+999999-01-01"]) {
  for (const set of [setClock, setWhen, (element) => setLong(Object.assign(element, { dateTime: time }))]) {
    const element = {};
    set(element, time);
    if (typeof element.title !== "string") tell({ time });
  }
  if (typeof longDay(time) !== "string") tell({ day: time });
}
tell({ tried: own.length + others.length + neither.length });
