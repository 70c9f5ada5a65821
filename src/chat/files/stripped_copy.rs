//! Applies metadata stripping to an upload: makes the plan and writes the cleaned copy.

use tokio::task::spawn_blocking;

use crate::model::Invalid;

use super::super::ChatError;
use super::chunk_writer::Writing;
use super::original::Original;
use super::strip_metadata::{self, Kind, Piece, Plan};

/// Error for a damaged file in which metadata cannot be located.
const DAMAGED: Invalid = Invalid::new(
    "file",
    "is damaged, so place and camera cannot be taken out: save it anew, or send it in an archive",
);

/// Makes the plan for a file: which of its bytes are kept.
pub(super) async fn plan(kind: Kind, original: &Original) -> Result<Plan, ChatError> {
    let source = original.reader();
    match spawn_blocking(move || strip_metadata::plan(kind, source)).await {
        Ok(Ok(plan)) => Ok(plan),
        Ok(Err(error)) if strip_metadata::is_damage(&error) => Err(DAMAGED.into()),
        Ok(Err(error)) => Err(error.downcast().unwrap_or_else(ChatError::internal)),
        Err(panicked) => {
            tracing::error!(%panicked, "cannot read a file");
            Err(DAMAGED.into())
        }
    }
}

/// Writes the parts of a file that the plan keeps.
pub(super) async fn copy(
    original: &Original,
    plan: &Plan,
    to: &mut Writing,
) -> Result<(), ChatError> {
    const ZEROS: [u8; 4096] = [0; 4096];
    let mut window = original.window();
    for piece in &plan.pieces {
        match piece {
            Piece::Bytes(bytes) => to.write(bytes).await?,
            Piece::Zeros(count) => {
                let mut left = *count;
                while left > 0 {
                    let part = left.min(ZEROS.len() as u64);
                    to.write(&ZEROS[..part as usize]).await?;
                    left -= part;
                }
            }
            Piece::Keep(from, end) => {
                let mut at = *from;
                while at < *end {
                    let bytes = window.at(at).await?;
                    let part = (bytes.len() as u64).min(end - at);
                    to.write(&bytes[..part as usize]).await?;
                    at += part;
                }
            }
        }
    }
    Ok(())
}
