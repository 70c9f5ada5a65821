//! A proxy between client and server that can be cut or made to lose data.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Condition of a [`Cable`].
#[derive(Clone, Copy, PartialEq)]
enum State {
    Whole,
    /// Data from the server is lost.
    Deaf,
    /// Connections are closed and new ones refused.
    Cut,
}

/// A TCP proxy to the server.
pub struct Cable {
    pub address: SocketAddr,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

impl Cable {
    /// Starts a proxy that passes everything.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, seen) = watch::channel(State::Whole);
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *seen.borrow() != State::Cut {
                    tokio::spawn(connect(client, server, seen.clone()));
                }
            }
        });
        Self {
            address,
            state,
            accepting,
        }
    }

    /// Drops data from the server from now on; data from the client still arrives.
    pub fn deafen(&self) {
        self.state.send_replace(State::Deaf);
    }

    /// Closes all connections and refuses new ones.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Lets new connections pass again.
    pub fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.cut();
        self.accepting.abort();
    }
}

async fn connect(client: TcpStream, server: SocketAddr, mut seen: watch::Receiver<State>) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let state = seen.clone();
    tokio::select! {
        () = pass(from_client, to_server, || true) => {}
        () = pass(from_server, to_client, || *state.borrow() == State::Whole) => {}
        _ = seen.wait_for(|state| *state == State::Cut) => {}
    }
}

/// Copies bytes, dropping them while `may_pass` is false.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, may_pass: impl Fn() -> bool) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if may_pass() && to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
