// Data that this browser stores for an account: texts in localStorage, files in IndexedDB. If the browser blocks
// storage, writing fails and reading finds nothing; drafts then live as long as the page.

import { attempt } from "./dom.js";
import { me } from "./page.js";

/** Prefixes of keys in localStorage; the account follows. */
const TEXTS = ["parlor.draft.", "parlor.outbox.", "parlor.upload."];
/** Object stores of the database; their keys are pairs of an account and another key. */
const STORES = ["drafts", "uploads"];
const mine = () => IDBKeyRange.bound([me.uuid], [me.uuid, []]);

let opened = null;
/** Set when the session ends; nothing is stored afterwards. */
let over = false;
const writing = new Set();

/** Whether files are being written that would be lost if the page closed now. */
export const isSaving = () => writing.size > 0;

/** Resolves when these writes have finished or failed. */
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

/** Resolves with the result of the last request made by `act`, when the transaction is complete. */
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

/** Stores a value; rejects if the browser does not. */
export const keep = (store, key, value) =>
  over ? Promise.resolve() : note(run(store, "readwrite", (all) => all.put(value, [me.uuid, key])));

/** Changes fields of a stored value. */
export const change = (store, key, fields) =>
  run(store, "readwrite", (all) => {
    const found = all.get([me.uuid, key]);
    found.onsuccess = () => found.result && !over && all.put({ ...found.result, ...fields }, [me.uuid, key]);
    return found;
  }).catch(() => {});

export const kept = (store, key) => run(store, "readonly", (all) => all.get([me.uuid, key])).catch(() => undefined);

export const allKept = (store) => run(store, "readonly", (all) => all.getAll(mine())).catch(() => []);

export const drop = (store, key) => note(run(store, "readwrite", (all) => all.delete([me.uuid, key])).catch(() => {}));

/** Stops storing. */
export const end = () => (over = true);

/** Removes the stored data of all accounts. */
export async function forgetAll() {
  end();
  forgetTexts(() => true);
  attempt(() => sessionStorage.clear());
  await Promise.allSettled(STORES.map((store) => run(store, "readwrite", (all) => all.clear())));
}

/** Removes the stored data of other accounts, so that the current user cannot find it. */
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
