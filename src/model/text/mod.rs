//! Rules for text: visibility of characters, comparison of names and passwords, cutting, markup, links and mentions.
//! Names, messages, file names, previews, search and pages use them; there are no such rules elsewhere.

mod compare;
mod cut;
mod look;
mod markup;
mod signs;
mod visible;
mod words;

pub(super) use compare::{composed, email_key, prepared_password};
pub use compare::{emoji_key, name_key};
pub use cut::{cut, first_character, whole_characters};
pub(super) use cut::{cut_bytes, trim_lines};
pub use look::{are_alike, look};
pub use markup::{Element, MENTION_MAX, Reader, read};
pub(crate) use signs::is_gap;
pub use signs::is_letter;
pub(super) use signs::is_literal;
pub use visible::is_hidden;
pub(super) use visible::{is_joiner, is_visible, shows_something};
pub use words::{Piece, PieceKind, pieces};

#[cfg(test)]
pub(crate) use markup::STEPS_TAKEN;
