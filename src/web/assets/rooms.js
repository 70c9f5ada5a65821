// State of all the caller's rooms: last message, unread count. Independent of the page.

import { get, me } from "./page.js";
import { AGAIN, Emitter, PASSING } from "./wire.js";

/** Unread messages are counted up to this number; the server uses the same limit. */
const UNREAD_MAX = 100;
/** Maximum number of rooms per `resume_rooms` request; the server accepts no more. */
const BATCH = 100;
/** Maximum wait before a room that was refused for now is requested again, milliseconds. */
const LONGEST = 30_000;

/**
 * Emits "changed" (any room, or the list), "messages" { room, messages }, "reset" (room id: the messages held are too
 * old to resume from), "live" (the last page of a resume) and "gone" { room, event }.
 */
export class Rooms extends Emitter {
  #wire;
  /** By id. */
  all = new Map();
  /** Rooms of the previous connection, until all rooms of this one have arrived. */
  #before = new Map();
  /** Rooms being requested, each with its newest change that arrived meanwhile. */
  #joining = new Map();
  /** The open room, and the newest change id held of it. */
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

  /** Moves the caller's read cursor; `left` is the number of messages still unread. */
  markRead(id, through, left) {
    const room = this.all.get(id);
    if (!room || through <= room.last_read_id) return;
    room.unread = left;
    this.#read({ room: id, user_id: me.id, last_read_id: through });
    this.#wire.tell("read", { room: id, message: through });
  }

  #welcome(event) {
    // The previous connection may have ended before all rooms had arrived.
    this.#before = new Map([...this.#before, ...this.all]);
    this.all = new Map();
    this.#arrive(event);
  }

  /** Takes a part of the room list; the server sends the rest in further events. */
  #arrive({ rooms, more }) {
    for (const room of rooms) this.all.set(room.id, room);
    if (more) return;
    const before = this.#before;
    this.#before = new Map();
    for (const id of before.keys()) {
      if (!this.all.has(id)) this.emit("gone", { room: id, event: null });
    }
    this.emit("changed");
    // The open room comes first; the caller may not be a member of it.
    const others = [...this.all.keys()].filter((id) => id !== this.open);
    const first = this.open ? [[this.open, this.position()]] : [];
    this.#resumeAll([...first, ...others.map((id) => [id, this.all.get(id).change_id])]);
  }

  /** Resumes rooms, each after a change id. Rooms refused for now are retried with increasing waits. */
  async #resumeAll(places) {
    const welcomed = this.all;
    for (let wait = AGAIN; places.length; wait = Math.min(2 * wait, LONGEST)) {
      const refused = [];
      // The open room does not wait for the others.
      const alone = places.filter(([id]) => id === this.open);
      const others = places.filter(([id]) => id !== this.open);
      const batches = Array.from({ length: Math.ceil(others.length / BATCH) }, (_, at) => others.slice(at * BATCH, (at + 1) * BATCH));
      for (const batch of [alone, ...batches]) {
        refused.push(...(batch === alone ? await this.#resumeEach(batch) : await this.#resumeTogether(batch)));
        // The connection was replaced; its own welcome resumes the rooms.
        if (welcomed !== this.all) return;
      }
      places = refused;
      // Randomized, so that clients refused by a busy server do not return at the same time.
      if (places.length) await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)));
      if (welcomed !== this.all) return;
    }
  }

  /** Resumes rooms one after the other; returns those refused for now. */
  async #resumeEach(places) {
    const refused = [];
    for (const [id, after] of places) {
      const left = await this.#resume(id, after);
      if (left !== null) refused.push([id, left]);
    }
    return refused;
  }

  /** Resumes rooms with one request. A room with more than one page of changes is resumed individually. */
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

  /** Takes a page of missed changes; returns whether it was the last. */
  #caughtUp(piece) {
    if (piece.reset) this.emit("reset", piece.room);
    this.#take(piece.room, piece.messages);
    if (!piece.more) this.emit("live", piece);
    return !piece.more;
  }

  /**
   * Takes all missed changes of a room, page by page; then the room is live. Resolves with the change id to continue
   * from if refused for now, else null.
   */
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
    // Both ids come from one counter: a message up to change_id has been counted already.
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

  /** Loads a room that the caller was added to, or joined elsewhere. */
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
      // The next welcome has it.
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
