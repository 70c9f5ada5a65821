// Renders texts with the page's own script, without a browser, and counts the executed steps. Reports each case of
// tests/markup.json that is rendered wrongly, then the step count of each text of tests/markup_worst.json.

import { readFileSync } from "node:fs";
import { Session } from "node:inspector";

const file = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

class Node {
  constructor(tag, className = "", children = []) {
    Object.assign(this, { tag, attributes: className ? [["class", className]] : [], children: [...children] });
  }
  append(...children) {
    this.children.push(...children);
  }
  setAttribute(name, value) {
    this.attributes.push([name, String(value)]);
  }
  get html() {
    const escape = (text) => text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
    const inner = this.children.map((child) => child.html ?? escape(child)).join("");
    if (!this.tag) return inner;
    const attributes = this.attributes.map(([name, value]) => ` ${name}="${escape(value)}"`).join("");
    return `<${this.tag}${attributes}>${inner}</${this.tag}>`;
  }
}

// Before the script is loaded: code compiled earlier is counted per function only.
const session = new Session();
session.connect();
const profiler = (method, params) => {
  let result;
  session.post(`Profiler.${method}`, params, (error, value) => {
    if (error) throw new Error(JSON.stringify(error));
    result = value;
  });
  return result;
};
profiler("enable");
profiler("startPreciseCoverage", { callCount: true, detailed: true });

globalThis.make = (tag, className, ...children) => new Node(tag, className, children);
globalThis.document = { createDocumentFragment: () => new Node("") };
const module = (name) => file(`../../src/web/assets/${name}.js`).replace(/^import .*$/gm, "");
const parts = ["text", "urls"].map((name) => module(name).replace(/^export /gm, ""));
const script = parts.join("") + module("markup");
const { render } = await import(`data:text/javascript,${encodeURIComponent(script)}`);

const called = ({ names = [] }) => new Map(names.map((name) => [name, name === "me"]));

/** Builds a text of about that length, the same as the tests of markup.rs. */
function worst({ once = "", repeat = [], grow, last = "" }, length) {
  const share = Math.floor(length / (repeat.length + (grow ? 1 : 0)));
  let made = once;
  for (const unit of repeat) made += unit.repeat(Math.floor(share / [...unit].length));
  if (grow) for (let run = 1, left = share; left > run; left -= run + 1, run++) made += `${grow.repeat(run)} `;
  return made + last;
}

/** Returns the number of executions of the script's functions and blocks since the last call. */
function steps() {
  const ours = profiler("takePreciseCoverage").result.filter(({ url }) => url.startsWith("data:"));
  const ranges = ours.flatMap(({ functions }) => functions.flatMap((one) => one.ranges));
  return ranges.reduce((sum, { count }) => sum + count, 0);
}

for (const { text, html, ...rest } of JSON.parse(file("../markup.json"))) {
  const made = render(text, called(rest)).html;
  if (made !== html) tell({ wrong: text, made });
}
for (const worstCase of JSON.parse(file("../markup_worst.json"))) {
  for (const length of [500, 4000, 64000]) {
    const text = worst(worstCase, length);
    steps();
    render(text, called(worstCase));
    const taken = { of: worstCase, length: [...text].length, steps: steps() };
    tell(taken);
    // Anything that grows faster than the text would take hours.
    if (taken.steps > 1000 * taken.length) break;
  }
}
