//! Protocol adapters of the cross-protocol tests. To take a protocol out of the server, delete its file, its `mod` line
//! and its entry in the list.

use super::*;

mod back_chat;
mod chat_app;
mod komunikator;
mod native;
mod realtime;
mod team;

pub const VOICES: &[&Voice] = &[
    &native::VOICE,
    &team::VOICE,
    &komunikator::VOICE,
    &back_chat::VOICE,
    &chat_app::VOICE,
    &realtime::VOICE,
];
