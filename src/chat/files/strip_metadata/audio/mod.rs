//! Sound files: MP3 and AAC streams, FLAC, Ogg, and RIFF (WAV, AVI).

pub(super) mod flac;
pub(super) mod mpeg;
pub(super) mod ogg;
pub(super) mod riff;
pub(super) mod vorbis;
