// All my rooms as they are now: what was said last, what is unread. Knows nothing of the page.

import { get, me } from "./page.js";
import { AGAIN, Emitter, PASSING } from "./wire.js";

/** Unread messages are counted up to here; the server does the same. */
const UNREAD_MAX = 100;
/** So many rooms are asked for at once; the server takes no more. */
const BATCH = 100;
/** A room that is refused for now is asked for again within this time, milliseconds. */
const LONGEST = 30_000;

/**
 * Emits "changed" (any room, or the list), "messages" { room, messages }, "reset" (room id: what is held of it is
 * too old), "live" (what the server says then) and "gone" { room, event }.
 */
export class Rooms extends Emitter {
  #wire;
  /** By id. */
  all = new Map();
  /** Those of the connection before, until all of this one's are here. */
  #before = new Map();
  /** Rooms that are being asked for, and the newest change of each meanwhile. */
  #joining = new Map();
  /** The room that is open, and the newest change that is held of it. */
  open = null;
  position = () => 0;

  constructor(wire, open) {
    super();
    this.#wire = wire;
    this.open = open;
    wire.on("welcome", (event) => this.#welcome(event));
    wire.on("rooms", (event) => this.#arrive(event));
    for (const name of ["message", "edited", "deleted", "reaction"]) {
      wire.on(name, ({ message }) => this.#take(message.room_id, [message]));
    }
    wire.on("read", (event) => this.#read(event));
    wire.on("joined", ({ room }) => this.#count(room, 1));
    wire.on("left", (event) => this.#left(event));
    wire.on("room_created", ({ room }) => this.#join(room.id));
    wire.on("room_changed", ({ room }) => this.#change(room));
    wire.on("room_deleted", (event) => this.#drop(event.room, event));
  }

  get unread() {
    return [...this.all.values()].filter((room) => room.unread > 0).length;
  }

  /** Notes that I have read a room up to a message, and how many are left. */
  markRead(id, through, left) {
    const room = this.all.get(id);
    if (!room || through <= room.last_read_id) return;
    room.unread = left;
    this.#read({ room: id, user_id: me.id, last_read_id: through });
    this.#wire.tell("read", { room: id, message: through });
  }

  #welcome(event) {
    // On the connection before, some may not have come.
    this.#before = new Map([...this.#before, ...this.all]);
    this.all = new Map();
    this.#arrive(event);
  }

  /** Takes some of my rooms; the server tells the rest in further events. */
  #arrive({ rooms, more }) {
    for (const room of rooms) this.all.set(room.id, room);
    if (more) return;
    const before = this.#before;
    this.#before = new Map();
    for (const id of before.keys()) {
      if (!this.all.has(id)) this.emit("gone", { room: id, event: null });
    }
    this.emit("changed");
    // The room that is open comes first; it may be one that I only look into.
    const others = [...this.all.keys()].filter((id) => id !== this.open);
    const first = this.open ? [[this.open, this.position()]] : [];
    this.#resumeAll([...first, ...others.map((id) => [id, this.all.get(id).change_id])]);
  }

  /** Resumes rooms, each after a change; those that are refused for now once more, later each time. */
  async #resumeAll(places) {
    const welcomed = this.all;
    for (let wait = AGAIN; places.length; wait = Math.min(2 * wait, LONGEST)) {
      const refused = [];
      // The room that is open does not wait for the others.
      const alone = places.filter(([id]) => id === this.open);
      const others = places.filter(([id]) => id !== this.open);
      const batches = Array.from({ length: Math.ceil(others.length / BATCH) }, (_, at) => others.slice(at * BATCH, (at + 1) * BATCH));
      for (const batch of [alone, ...batches]) {
        refused.push(...(batch === alone ? await this.#resumeEach(batch) : await this.#resumeTogether(batch)));
        // On another connection its welcome sees to it.
        if (welcomed !== this.all) return;
      }
      places = refused;
      // Spread out, so that those whom a busy server refuses do not come back together.
      if (places.length) await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)));
      if (welcomed !== this.all) return;
    }
  }

  /** Resumes rooms one after the other; answers those that are refused for now. */
  async #resumeEach(places) {
    const refused = [];
    for (const [id, after] of places) {
      const left = await this.#resume(id, after);
      if (left !== null) refused.push([id, left]);
    }
    return refused;
  }

  /** Resumes rooms with one question; a room of which there is more to tell is asked for by itself. */
  async #resumeTogether(places) {
    const after = new Map(places);
    try {
      const { rooms, refused } = await this.#wire.ask("resume_rooms", { rooms: places });
      const unfinished = rooms.filter((piece) => !this.#caughtUp(piece));
      for (const { room, error } of refused) if (error.code === "not_found") this.#drop(room, null);
      const again = refused.filter(({ error }) => PASSING.has(error.code)).map(({ room }) => [room, after.get(room)]);
      const rest = unfinished.map(({ room, messages }) => [room, messages.at(-1)?.change_id ?? after.get(room)]);
      return [...again, ...(await this.#resumeEach(rest))];
    } catch ({ code }) {
      return PASSING.has(code) ? places : [];
    }
  }

  /** Takes a piece of what was missed in a room; answers whether that was all. */
  #caughtUp(piece) {
    if (piece.reset) this.emit("reset", piece.room);
    this.#take(piece.room, piece.messages);
    if (!piece.more) this.emit("live", piece);
    return !piece.more;
  }

  /** Takes what was missed, page by page; afterwards the room is live. Answers from where to go on if refused for now. */
  async #resume(id, after) {
    try {
      for (;;) {
        const page = await this.#wire.ask("resume", { room: id, after });
        if (this.#caughtUp(page)) return null;
        after = page.messages.at(-1).change_id;
      }
    } catch ({ code }) {
      if (code === "not_found") this.#drop(id, null);
      return PASSING.has(code) ? after : null;
    }
  }

  #take(id, messages) {
    const room = this.all.get(id);
    for (const message of messages) room && this.#note(room, message);
    this.emit("messages", { room: id, messages });
    this.emit("changed");
  }

  #note(room, message) {
    if (message.id >= (room.last_message?.id ?? 0)) room.last_message = message;
    // Both numbers come from one counter: a message up to change_id is counted already.
    const isNew = message.id > room.change_id;
    room.change_id = Math.max(room.change_id, message.change_id);
    if (isNew && message.sender.id !== me.id && !message.deleted_at) {
      room.unread = Math.min(UNREAD_MAX, room.unread + 1);
    }
  }

  #read({ room: id, user_id, last_read_id }) {
    const room = this.all.get(id);
    if (!room) return;
    if (user_id !== me.id) room.other_read_id = Math.max(room.other_read_id, last_read_id);
    else {
      room.last_read_id = Math.max(room.last_read_id, last_read_id);
      if (last_read_id >= (room.last_message?.id ?? 0)) room.unread = 0;
    }
    this.emit("changed");
  }

  #count(id, change) {
    const room = this.all.get(id);
    if (room) room.member_count += change;
    this.emit("changed");
  }

  #left(event) {
    if (event.user.id === me.id) this.#drop(event.room, event);
    else this.#count(event.room, -1);
  }

  /** Somebody added me, or I joined elsewhere: the server knows the rest. */
  async #join(id) {
    this.#joining.set(id, null);
    try {
      const { items } = await get("rooms");
      const room = items.find((one) => one.id === id);
      if (!room || this.all.has(id)) return;
      const change = this.#joining.get(id);
      this.all.set(id, room);
      if (change && change.updated_at > room.updated_at) this.#change(change);
      this.emit("changed");
      await this.#resumeAll([[id, id === this.open ? this.position() : room.change_id]]);
    } catch {
      // The next welcome brings it.
    } finally {
      this.#joining.delete(id);
    }
  }

  #change(room) {
    const known = this.all.get(room.id);
    if (known) Object.assign(known, room, { access_key: known.access_key });
    else if (this.#joining.has(room.id)) this.#joining.set(room.id, room);
    this.emit("changed");
  }

  #drop(id, event) {
    this.all.delete(id);
    this.emit("gone", { room: id, event });
    this.emit("changed");
  }
}
