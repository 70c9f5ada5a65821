//! What each protocol can. One that is taken out of the server goes from here with its file, its `mod` line and its
//! line in the list.

use super::*;

mod back_chat;
mod chat_app;
mod komunikator;
mod native;
mod realtime;
mod team;

/// All of them.
pub const VOICES: &[&Voice] = &[
    &native::VOICE,
    &team::VOICE,
    &komunikator::VOICE,
    &back_chat::VOICE,
    &chat_app::VOICE,
    &realtime::VOICE,
];
