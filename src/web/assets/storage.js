// What this browser keeps for an account beyond a page: texts in localStorage, files in IndexedDB. Where a browser keeps
// nothing, writing fails and reading finds nothing; what is being written lives as long as the page then.

import { attempt } from "./dom.js";
import { me } from "./page.js";

/** Keys in localStorage begin so, then comes the account. */
const TEXTS = ["parlor.draft.", "parlor.outbox.", "parlor.upload."];
/** Stores of the database; their keys are pairs of an account and anything. */
const STORES = ["drafts", "uploads"];
const mine = () => IDBKeyRange.bound([me.uuid], [me.uuid, []]);

let opened = null;
/** Set when the session ends: nothing is kept from then on. */
let over = false;
const writing = new Set();

/** Whether files are being written that would be lost if the page went now. */
export const isSaving = () => writing.size > 0;

/** Resolves when they are written, or cannot be. */
export const saved = () => Promise.allSettled([...writing]);

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("parlor", 1);
    request.onupgradeneeded = () => STORES.forEach((store) => request.result.createObjectStore(store));
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      request.result.onversionchange = () => request.result.close();
      request.result.onclose = () => (opened = null);
      resolve(request.result);
    };
  });
}

/** Resolves with the result of the last request that `act` makes, when all of it is on disk. */
async function run(store, mode, act) {
  const base = await (opened ??= open());
  return new Promise((resolve, reject) => {
    const work = base.transaction(store, mode);
    const request = act(work.objectStore(store));
    work.oncomplete = () => resolve(request.result);
    work.onabort = () => reject(work.error);
  });
}

const note = (promise) => {
  const done = promise.finally(() => writing.delete(done));
  writing.add(done);
  return done;
};

/** Keeps a value; rejects if the browser does not. */
export const keep = (store, key, value) =>
  over ? Promise.resolve() : note(run(store, "readwrite", (all) => all.put(value, [me.uuid, key])));

/** Changes a value that is kept. */
export const change = (store, key, fields) =>
  run(store, "readwrite", (all) => {
    const found = all.get([me.uuid, key]);
    found.onsuccess = () => found.result && !over && all.put({ ...found.result, ...fields }, [me.uuid, key]);
    return found;
  }).catch(() => {});

export const kept = (store, key) => run(store, "readonly", (all) => all.get([me.uuid, key])).catch(() => undefined);

export const allKept = (store) => run(store, "readonly", (all) => all.getAll(mine())).catch(() => []);

export const drop = (store, key) => note(run(store, "readwrite", (all) => all.delete([me.uuid, key])).catch(() => {}));

/** Nothing is kept from here on. */
export const end = () => (over = true);

/** Removes what is kept for everybody. */
export async function forgetAll() {
  end();
  forgetTexts(() => true);
  attempt(() => sessionStorage.clear());
  await Promise.allSettled(STORES.map((store) => run(store, "readwrite", (all) => all.clear())));
}

/** Removes what is kept for other accounts: whoever is logged in now is not to find it. */
export async function forgetOthers() {
  forgetTexts((account) => account !== me.uuid);
  for (const store of STORES) {
    const keys = await run(store, "readonly", (all) => all.getAllKeys()).catch(() => []);
    const others = keys.filter(([account]) => account !== me.uuid);
    if (others.length) await run(store, "readwrite", (all) => others.map((key) => all.delete(key)).at(-1)).catch(() => {});
  }
}

function forgetTexts(isMeant) {
  for (const key of attempt(() => Object.keys(localStorage), [])) {
    const start = TEXTS.find((start) => key.startsWith(start));
    if (start && isMeant(key.slice(start.length).split(".")[0])) localStorage.removeItem(key);
  }
}
