//! What is between a client and the server, such that it can be cut. What is wrong with a network otherwise, too.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How a [`Cable`] is.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Whole,
    /// What the server says gets lost on the way.
    Deaf,
    /// Whatever was connected ends, and nobody gets through.
    Cut,
}

/// An address that leads to the server as long as nobody cuts it.
pub struct Cable {
    pub address: SocketAddr,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

impl Cable {
    /// A whole one.
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

    /// From now on the client hears nothing; what it says arrives.
    pub fn deafen(&self) {
        self.state.send_replace(State::Deaf);
    }

    /// Ends all connections; there will be no others.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Those who come now get through.
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

/// Hands bytes on, of which those get lost that may not pass.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, may_pass: impl Fn() -> bool) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if may_pass() && to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
