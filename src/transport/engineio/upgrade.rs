//! Upgrade of a polling session to a WebSocket. Must lose no packets, and leave the session polling if it fails.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::Protocol;
use super::connection::Connection;
use super::packet::Packet;
use super::polling::Polling;
use super::server::Inner;
use super::state::Phase;
use crate::transport::frame::text_frame;
use crate::transport::upgrade::Upgrade;
use crate::transport::websocket::{Incoming, WebSocket};

/// Maximum time for the upgrade.
const TIMEOUT: Duration = Duration::from_secs(10);
const GOING_AWAY: u16 = 1000;

/// Opens the WebSocket, upgrades the session and serves it there.
pub(super) async fn run<P: Protocol>(
    server: Arc<Inner<P>>,
    polling: Arc<Polling<P>>,
    upgrade: Upgrade,
) {
    let Ok(mut socket) = upgrade.open(server.config.max_first_payload).await else {
        return;
    };
    let begun = polling.change(&Phase::Polling, Phase::Probing);
    if !begun
        || !matches!(
            timeout(TIMEOUT, agree(&polling, &mut socket)).await,
            Ok(Some(()))
        )
    {
        if begun {
            polling.stay();
        }
        return socket.close(GOING_AWAY, "no upgrade").await;
    }
    serve(server, &polling, socket).await;
    polling.forget();
}

/// Runs the probe exchange. Returns `None` if the client sends other packets or the session has ended.
async fn agree<P: Protocol>(polling: &Arc<Polling<P>>, socket: &mut WebSocket) -> Option<()> {
    let Incoming::Text(text) = socket.read().await.ok()? else {
        return None;
    };
    if Packet::parse(&text) != Ok(Packet::Probe)
        || !polling.change(&Phase::Probing, Phase::Upgrading)
    {
        return None;
    }
    socket.write(&mut vec![text_frame("3probe")]).await.ok()?;
    let Incoming::Text(text) = socket.read().await.ok()? else {
        return None;
    };
    let moved = Packet::parse(&text) == Ok(Packet::Upgrade);
    (moved && polling.change(&Phase::Upgrading, Phase::Upgraded)).then_some(())
}

async fn serve<P: Protocol>(server: Arc<Inner<P>>, polling: &Arc<Polling<P>>, socket: WebSocket) {
    let Some(session) = polling.take().await else {
        return socket.close(GOING_AWAY, "session over").await;
    };
    let (heartbeat, settling) = {
        let state = polling.state();
        (state.heartbeat, state.settling)
    };
    let connection = Connection {
        server,
        socket,
        session,
        outgoing: polling.outgoing.clone(),
        heartbeat,
        settling,
        frames: mem::take(&mut *polling.pending()),
        out_first: false,
    };
    connection.run().await;
}
