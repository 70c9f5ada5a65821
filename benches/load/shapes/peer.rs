//! Shapes A, B and C with a chat server written by hand for Node, so that results of different machines can be
//! compared.

use super::super::crowd::Stretches;
use super::super::process::Process;
use super::super::table::Table;
use super::{db, fanout, folder, many};

/// Measures, or adds a row that says what is missing.
pub async fn same(stretches: Stretches, table: &mut Table) {
    if measured(stretches, table).await.is_none() {
        table.row(
            "peer",
            "not measured",
            String::new(),
            "needs `npm ci --prefix benches/peer` first".to_owned(),
        );
    }
}

async fn measured(stretches: Stretches, table: &mut Table) -> Option<()> {
    fanout::peer(stretches, table).await?;
    let folder = folder();
    let process = Process::peer(&db(&folder), "NORMAL")?;
    let outcomes = many::all_send(&process, stretches).await;
    many::report(table, "peer in B", &outcomes);
    Some(())
}
