//! The native protocol from outside: people act on a real server over a real socket and a real file. `support` explains
//! the harness.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::too_many_lines,
    missing_docs
)]

// The harness: servers, people, HTTP, WebSocket.
mod support;

// Accounts: set-up, registering, logging in, guests.
mod accounts;
// Limits: guesses, floods, what others are told of.
mod limits;
// Passwords: which may be chosen, and what changing one ends.
mod passwords;
// One's own account: changed, and ended.
mod own_account;
// Sessions: tokens, refreshing, logging out, passwords.
mod sessions;
// Other people, and what admins do to their accounts.
mod users;
// Rooms: making, finding, joining, leaving.
mod rooms;
// Rooms are changed, handed over, cleared and deleted.
mod room_changes;
// Addresses of pictures and files that clients give.
mod addresses;
// Names that look like somebody else's.
mod look_alikes;
// Searching messages.
mod search;
// Invites.
mod invites;
// Links for those who forgot their password.
mod password_links;
// Members: listing, adding, roles, muting, sending out.
mod members;
// Messages: sending, repeating, paging, editing, deleting, reading.
mod messages;
// Requests that are wrong.
mod bad_input;
// Every route of every protocol: wrong methods, and refusals below `/api`.
mod routes;
// Events of the other protocols that make no sense.
mod hostile_events;
// Handshakes: who it is, and what is refused.
mod handshakes;
// Frames that are wrong.
mod frames;
// Live: what is asked, what is answered, who hears what.
mod live;
// How connections begin.
mod connections;
// Coming back: exactly what was missed.
mod resume;
// Many events of one connection at once.
mod pipelining;
// Read marks: acknowledged when they are on disk.
mod read_marks;
// Connections that end while they begin to watch a room.
mod attaching;
// People who change their names.
mod renames;
// Mutes and bars, which outlive leaving.
mod sanctions;
// Admins in rooms that they are no members of.
mod outside_admins;
// Reactions: adding, taking back, coming back to them.
mod reactions;
// Mentions: whom a text calls, and what answers quote.
mod mentions;
// Notifications: what one is told beside one's rooms.
mod notifications;
// Uploads that come slowly, and pictures that cost much: what others feel of them.
mod slow_uploads;
// Files that tell where they were made.
mod media;
mod metadata;
// Many people at once.
mod crowd;
// Many Socket.IO clients at once.
mod event_crowd;
// How a server begins and ends.
mod lifecycle;
// Files of earlier versions.
mod upgrade;
// What was deleted is gone from the file.
mod deleted;
// What was acknowledged is there, whatever happens.
mod durability;
// Who may what: the design's permission table.
mod permissions;
// Document 001: rooms with access keys, and who is online.
mod komunikator;
// Clients that others wrote.
mod foreign;
// Document 003: direct chats between admins and users.
mod chat_app;
// Document 000 without its pages: tokens, conversations, the raw WebSocket.
mod team;
// Files: sending, fetching, pictures, and what is never rendered.
mod files;
// Pages of other web sites, foreign names, proxies: what counts as the local network.
mod origins;
// The pages without scripts: forms, cookies, addresses.
mod pages;
// Document 002: users, the lobby, its WebSocket.
mod back_chat;
// Document 004: public and private chat with files.
mod realtime;
// All protocols at once.
mod across;
// One's own files: listing, taking away.
mod own_files;
// Who fetches a file.
mod file_access;
// Uploads that break off.
mod file_ends;
// Files that want to be run.
mod hostile_files;
// The two clients that people may begin with.
mod clients;
// The protocol's description for programs, and for people.
mod openapi;
// That description, tried out.
mod openapi_tried;
