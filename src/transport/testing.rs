//! Helpers shared by the tests of this module.

use std::time::Duration;

use super::connection_limit::{Gate, Limits};
use super::stream::Socket;
use tokio::net::{TcpListener, TcpStream};

/// Fails if the future takes longer than 30 s in the test's own time.
pub async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future)
        .await
        .expect("took longer than 30 s")
}

/// Returns the two ends of a loopback connection: the server's and the peer's.
pub async fn pair() -> (Socket, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (peer, accepted) = tokio::join!(TcpStream::connect(addr), listener.accept());
    let gate = Gate::new(Limits::default());
    let slot = gate.enter(addr.ip()).unwrap();
    (
        Socket::new(accepted.unwrap().0, slot).unwrap(),
        peer.unwrap(),
    )
}
