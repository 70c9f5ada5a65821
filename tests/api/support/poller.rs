//! A minimal Socket.IO client over HTTP long polling.

use std::net::SocketAddr;

use serde_json::json;

use super::{Client, Reply};

/// A polling session in the main namespace.
pub struct Poller {
    client: Client,
    path: String,
}

impl Poller {
    /// Connects with a token in the CONNECT packet.
    pub async fn open(address: SocketAddr, token: &str) -> Self {
        let poller = Self::begin(address).await;
        poller
            .say(&format!("40{}", json!({ "token": token })))
            .await;
        poller
    }

    /// Opens a session without sending CONNECT.
    pub async fn begin(address: SocketAddr) -> Self {
        Self::begin_as(Client::new(address)).await
    }

    /// Like [`Self::begin`], with the headers of that client.
    pub async fn begin_as(client: Client) -> Self {
        let path = "/socket.io/?EIO=4&transport=polling";
        let opened = client.get(path).await;
        let opened: serde_json::Value = serde_json::from_slice(&opened.body[1..]).unwrap();
        let path = format!("{path}&sid={}", opened["sid"].as_str().unwrap());
        Self { client, path }
    }

    /// Posts packets and asserts that they are accepted.
    pub async fn say(&self, packets: &str) {
        let reply = self.post(packets.to_owned()).await;
        assert_eq!(reply.status, 200, "{reply}");
    }

    pub async fn post(&self, packets: impl Into<bytes::Bytes>) -> Reply {
        self.client.send("POST", &self.path, None, packets).await
    }

    pub async fn poll(&self) -> Reply {
        self.client.get(&self.path).await
    }

    /// Polls and returns the packets other than pings, which are answered.
    pub async fn hear(&self) -> Vec<String> {
        let reply = self.poll().await;
        assert_eq!(reply.status, 200, "{reply}");
        let text = String::from_utf8_lossy(&reply.body);
        let (pings, others): (Vec<_>, Vec<_>) = text.split('\u{1e}').partition(|one| *one == "2");
        if !pings.is_empty() {
            self.say("3").await;
        }
        others.into_iter().map(str::to_owned).collect()
    }
}
