//! The pages in a real browser: Chromium, driven through chromedriver, on the server's address and by a name of the local
//! network, where browsers grant a page less. Where there is no browser these tests say so and pass, unless `CI` is set.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

// The server these tests talk to.
#[allow(unused_imports, reason = "made for other tests")]
#[path = "../api/support/mod.rs"]
mod support;

// The browser: windows, and how one waits for what they show; devices to look with.
mod driver;
mod look;
// A reverse proxy in front of the server.
mod front;

// What there is to look at: a household, and every page of it.
mod household;
mod scenes;

// People meet: set-up, accounts, rooms of every kind.
mod meeting;
// What happens to messages: markup in names, marks, refusals.
mod messages;
// The connection is lost and comes back; sessions and memberships end.
mod leaving;
// Pages around the chat: invites, settings, rooms, the server.
mod pages;
// What is done with messages: changing, deleting, answering, reacting.
mod deeds;
// What people write: markup, links, names and emoji by a few letters.
mod writing;
// Texts in many scripts, and the direction in which they run.
mod scripts;
// Long histories.
mod history;
// Files: chosen, dropped and pasted.
mod files;
// Films, sound and animations.
mod media;
// Without a connection.
mod offline;
// Messages that are half written or half sent.
mod drafts;
// The frame of the page, and where Back leads.
mod frame;
// Runs what changes at midnight.
mod clock;
// What a browser tells of while nobody looks.
mod telling;
mod uploads;
// The way to rooms and people by typing, and pages that change while one looks at them.
mod finding;
// Texts that want to be run.
mod hostile;
// Pages of other web sites, and the server under a foreign name.
mod stranger;
// Accessibility: what a tool finds on every page.
mod audit;
// By keys, at 200 %, without motion, in German, with a finger, without scripts.
mod everybody;
// Pictures of every page, for eyes.
mod shots;
