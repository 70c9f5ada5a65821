//! The pages in Chromium, driven through chromedriver, at the server's address and at a name of the local network,
//! where browsers offer fewer APIs. Without a browser these tests are skipped, or fail if `CI` is set.

#![allow(clippy::unwrap_used, clippy::expect_used)]

// Server and personas.
#[allow(unused_imports, reason = "made for other tests")]
#[path = "../api/support/mod.rs"]
mod support;

// Windows and emulated devices.
mod driver;
mod look;
// A reverse proxy that refuses uploads.
mod front;

// Sample data, and the list of all pages.
mod household;
mod scenes;

// Two people, from setup to rooms of every kind.
mod meeting;
// Markup in names, typing, refusals.
mod messages;
// Lost connections, ended sessions and memberships.
mod leaving;
// Pages other than the chat.
mod pages;
// Message actions.
mod deeds;
// Markup, links, completion.
mod writing;
// Scripts and text direction.
mod scripts;
// Long histories.
mod history;
// Files: choosing, dropping, pasting.
mod files;
// Video, audio and animated images.
mod media;
// Offline use.
mod offline;
// Drafts.
mod drafts;
// Layout, and the Back button.
mod frame;
// Day names past midnight.
mod clock;
// Desktop notifications.
mod telling;
mod uploads;
// The quick switcher, and live room details.
mod finding;
// XSS.
mod hostile;
// Other web sites, and DNS rebinding.
mod stranger;
// axe-core on every page.
mod audit;
// Keyboard, zoom, reduced motion, German, touch, no scripts.
mod everybody;
// Screenshots for manual review.
mod shots;
