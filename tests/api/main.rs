//! Integration tests over the public interfaces: people use a real server over real sockets, with a real database file.
//! `support` explains the harness.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::too_many_lines
)]

// The harness: servers, people, HTTP, WebSocket.
mod support;

// Accounts: setup, registration, login, guests.
mod accounts;
// Rate limits: guesses, floods, actions that notify others.
mod limits;
// Passwords: rules, and what a change ends.
mod passwords;
// Changing and deleting one's own account.
mod own_account;
// Sessions: tokens, refresh, log-out, passwords.
mod sessions;
// Other people's accounts, and their management by admins.
mod users;
// Rooms: creating, finding, joining, leaving.
mod rooms;
// Editing, transferring, clearing and deleting rooms.
mod room_changes;
// URLs of pictures and files that clients give.
mod addresses;
// Names that could be mistaken for another account's.
mod look_alikes;
// Searching messages.
mod search;
// Invites.
mod invites;
// Password reset links.
mod password_links;
// Members: listing, adding, roles, muting, kicking.
mod members;
// Messages: sending, resending, paging, editing, deleting, read cursors.
mod messages;
// Malformed requests.
mod bad_input;
// Every route of every protocol: wrong methods, and refusals below `/api`.
mod routes;
// Invalid events of the other protocols.
mod hostile_events;
// WebSocket handshakes: authentication and refusals.
mod handshakes;
// Invalid WebSocket frames.
mod frames;
// Live events: commands, answers, recipients.
mod live;
// Opening connections.
mod connections;
// Resuming: exactly the missed changes.
mod resume;
// Many events of one connection at once.
mod pipelining;
// Read cursors: acknowledged when they are on disk.
mod read_marks;
// Connections that end while they subscribe to a room.
mod attaching;
// Renamed accounts.
mod renames;
// Mutes and bans, which outlive leaving.
mod sanctions;
// Admins in rooms that they are not members of.
mod outside_admins;
// Reactions: adding, removing, resuming.
mod reactions;
// Mentions, and quotes in replies.
mod mentions;
// Notifications: mentions, replies, direct messages and custom ones.
mod notifications;
// Slow uploads and expensive pictures: their effect on other people.
mod slow_uploads;
// Removal of metadata from files.
mod media;
mod metadata;
// Many clients at once.
mod crowd;
// Many Socket.IO clients at once.
mod event_crowd;
// Start and stop of a server.
mod lifecycle;
// Databases of earlier versions.
mod upgrade;
// Deleted data is gone from the database.
mod deleted;
// Acknowledged messages survive crashes and a full disk.
mod durability;
// The permission table.
mod permissions;
// `komunikator`: rooms with access keys, and presence.
mod komunikator;
// Third-party clients.
mod foreign;
// `chat_app`: direct chats between admins and users.
mod chat_app;
// `team` without its pages: tokens, conversations, the raw WebSocket.
mod team;
// Files: upload, download, pictures, and content that is never rendered.
mod files;
// Other web sites, foreign host names, proxies: what counts as the local network.
mod origins;
// The pages without scripts: forms, cookies, URLs.
mod pages;
// `back_chat`: users, the lobby, its WebSocket.
mod back_chat;
// `realtime`: public and private chats with files.
mod realtime;
// All protocols together.
mod across;
// One's own files: listing, deleting.
mod own_files;
// Access to files.
mod file_access;
// Interrupted uploads.
mod file_ends;
// Files with active content.
mod hostile_files;
// The two example clients.
mod clients;
// The OpenAPI description, for programs and for people.
mod openapi;
// Requests generated from that description.
mod openapi_tried;
