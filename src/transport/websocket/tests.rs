//! Tests of the WebSocket over a loopback connection.

use super::*;
use crate::transport::frame::{append_text_frame, binary_frame, ping_frame, text_frame};
use crate::transport::testing::{pair, within};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

type Client = WebSocketStream<TcpStream>;

async fn connected(max_message: usize) -> (WebSocket, Client) {
    let (socket, peer) = pair().await;
    let client = WebSocketStream::from_raw_socket(peer, Role::Client, None).await;
    (WebSocket::new(socket, &[], max_message), client)
}
async fn heard(client: &mut Client) -> Message {
    within(client.next()).await.unwrap().unwrap()
}
/// Sends raw client bytes to a new server and returns the result of its `read`.
async fn read_raw(bytes: &[u8]) -> Result<Incoming, ReadError> {
    let (socket, mut peer) = pair().await;
    peer.write_all(bytes).await.unwrap();
    within(WebSocket::new(socket, &[], 1024).read()).await
}

#[tokio::test]
async fn messages_are_exchanged_in_both_directions() {
    let (mut server, mut client) = connected(1024).await;
    client.send(Message::text("up")).await.unwrap();
    client.send(Message::binary(vec![1, 2])).await.unwrap();
    assert_eq!(server.read().await.unwrap(), Incoming::Text("up".into()));
    let binary = Incoming::Binary(Bytes::from_static(&[1, 2]));
    assert_eq!(server.read().await.unwrap(), binary);

    let mut batch = Vec::new();
    append_text_frame(&mut batch, b"one");
    append_text_frame(&mut batch, b"two");
    let mut frames = vec![batch.into(), binary_frame(&[3])];
    server.write(&mut frames).await.unwrap();
    assert!(frames.is_empty());
    assert_eq!(heard(&mut client).await, Message::text("one"));
    assert_eq!(heard(&mut client).await, Message::text("two"));
    assert_eq!(heard(&mut client).await, Message::binary(vec![3]));
}

#[tokio::test]
async fn more_frames_than_one_call_takes_arrive_in_order() {
    let (mut server, mut client) = connected(1024).await;
    let mut frames: Vec<_> = (0..1000).map(|i| text_frame(&i.to_string())).collect();
    server.write(&mut frames).await.unwrap();
    for i in 0..1000 {
        assert_eq!(heard(&mut client).await, Message::text(i.to_string()));
    }
}

#[tokio::test]
async fn client_pings_are_answered_while_reading() {
    let (mut server, mut client) = connected(1024).await;
    client.send(Message::Ping("hi".into())).await.unwrap();
    let (_, pong) = tokio::join!(
        async {
            let next = within(server.read()).await.unwrap();
            assert_eq!(next, Incoming::Text("after".into()));
        },
        async {
            let pong = heard(&mut client).await;
            client.send(Message::text("after")).await.unwrap();
            pong
        }
    );
    assert_eq!(pong, Message::Pong("hi".into()));
}

#[tokio::test]
async fn server_pings_are_answered() {
    let (mut server, mut client) = connected(1024).await;
    server.write(&mut vec![ping_frame()]).await.unwrap();
    heard(&mut client).await;
    client.flush().await.unwrap();
    assert_eq!(within(server.read()).await.unwrap(), Incoming::Pong);
}

#[tokio::test]
async fn a_cancelled_read_loses_no_data() {
    let (socket, mut peer) = pair().await;
    let mut server = WebSocket::new(socket, &[], 1024);
    let frame = [0x81, 0x83, 0, 0, 0, 0, b'a', b'b', b'c'];
    for part in frame.chunks(2) {
        peer.write_all(part).await.unwrap();
        if part.len() == 2 {
            within(server.socket().readable()).await.unwrap();
            assert!(server.read().now_or_never().is_none());
        }
    }
    let whole = within(server.read()).await.unwrap();
    assert_eq!(whole, Incoming::Text("abc".into()));
}

#[tokio::test]
async fn an_endless_message_yields_to_other_tasks() {
    let (socket, mut peer) = pair().await;
    let mut server = WebSocket::new(socket, &[], 1024);
    peer.write_all(&[0; 1024]).await.unwrap();
    within(server.socket().readable()).await.unwrap();
    let half = server.parser.get_mut();
    for _ in 0..READS_AT_ONCE {
        assert_eq!(half.read(&mut [0; 16]).unwrap(), 16);
    }
    assert!(would_block(&half.read(&mut [0; 16]).unwrap_err()));
    // The rest is read in the next turn.
    within(server.socket().readable()).await.unwrap();
    assert!(server.read().now_or_never().is_some());
}

#[tokio::test]
async fn bytes_received_with_the_handshake_are_read_first() {
    let (socket, _peer) = pair().await;
    let mut server = WebSocket::new(socket, &[0x81, 0x81, 0, 0, 0, 0, b'x'], 1024);
    let first = within(server.read()).await.unwrap();
    assert_eq!(first, Incoming::Text("x".into()));
}

#[tokio::test]
async fn invalid_input_closes_with_the_right_code() {
    let not_utf8 = read_raw(&[0x81, 0x82, 0, 0, 0, 0, 0xC3, 0x28]).await;
    assert_eq!(not_utf8.unwrap_err().close_code(), Some(1007));
    let too_big = read_raw(&[0x81, 0xFE, 0x04, 0x01, 0, 0, 0, 0]).await;
    assert_eq!(too_big.unwrap_err().close_code(), Some(1009));
    let unmasked = read_raw(&[0x81, 0x01, b'a']).await;
    assert_eq!(unmasked.unwrap_err().close_code(), Some(1002));
    let reserved = read_raw(&[0xC1, 0x81, 0, 0, 0, 0, b'a']).await;
    assert_eq!(reserved.unwrap_err().close_code(), Some(1002));
}

#[tokio::test]
async fn an_abrupt_disconnect_has_no_close_code() {
    let (mut server, client) = connected(1024).await;
    drop(client);
    assert_eq!(within(server.read()).await.unwrap_err().close_code(), None);
}

#[tokio::test]
async fn the_limit_can_be_raised_while_open() {
    let (mut server, mut client) = connected(10).await;
    server.set_max_message(20);
    client.send(Message::text("x".repeat(20))).await.unwrap();
    assert!(matches!(within(server.read()).await, Ok(Incoming::Text(_))));
    client.send(Message::text("x".repeat(21))).await.unwrap();
    assert!(matches!(
        within(server.read()).await,
        Err(ReadError::TooBig)
    ));
}

#[tokio::test]
async fn the_servers_close_frame_has_its_code() {
    let (server, mut client) = connected(1024).await;
    // Unread bytes must not make the kernel reset the connection.
    client.send(Message::text("unread")).await.unwrap();
    let closing = tokio::spawn(server.close(4002, "lagging"));
    let Message::Close(Some(CloseFrame { code, reason })) = heard(&mut client).await else {
        panic!("no close frame");
    };
    assert_eq!((u16::from(code), reason.as_str()), (4002, "lagging"));
    drop(client);
    within(closing).await.unwrap();
}

#[tokio::test]
async fn the_clients_close_is_answered_once() {
    let (mut server, mut client) = connected(1024).await;
    client.close(None).await.unwrap();
    assert_eq!(within(server.read()).await.unwrap(), Incoming::Close(None));
    let closing = tokio::spawn(server.close(1000, ""));
    assert_eq!(heard(&mut client).await, Message::Close(None));
    assert!(within(client.next()).await.is_none());
    drop(client);
    within(closing).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_closed() {
    let (mut server, _client) = connected(1024).await;
    let begun = tokio::time::Instant::now();
    let mut frames = vec![binary_frame(&vec![0; 64 << 20])];
    let error = within(server.write(&mut frames)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_cancelled_write_is_continued_by_the_next() {
    let (socket, mut peer) = pair().await;
    let mut server = WebSocket::new(socket, &[], 1024);
    let big = binary_frame(&vec![7; 16 << 20]);
    let expected = big.len() + text_frame("end").len();
    let writing = server.write(&mut vec![big]).now_or_never();
    assert!(writing.is_none());
    let writing = tokio::spawn(async move {
        server.write(&mut vec![text_frame("end")]).await.unwrap();
        server
    });
    let mut got = vec![0; expected];
    within(peer.read_exact(&mut got)).await.unwrap();
    assert!(got.ends_with(&text_frame("end")));
    within(writing).await.unwrap();
}

#[tokio::test]
async fn direct_sends_go_between_whole_frames_and_not_after_the_close() {
    let (socket, mut peer) = pair().await;
    let mut server = WebSocket::new(socket, &[], 1024);
    let line = server.line().clone();
    assert_eq!(line.send(&text_frame("first")), text_frame("first").len());
    let big = binary_frame(&vec![7; 16 << 20]);
    let sent = line.send(&big);
    assert!(0 < sent && sent < big.len(), "{sent}");
    assert_eq!(line.send(&text_frame("refused")), 0);

    let expected = [text_frame("first"), big, text_frame("end")].concat();
    let writing = tokio::spawn(async move {
        server.write(&mut vec![text_frame("end")]).await.unwrap();
        server
    });
    let mut got = vec![0; expected.len()];
    within(peer.read_exact(&mut got)).await.unwrap();
    assert!(got == expected);
    let server = within(writing).await.unwrap();
    let closing = tokio::spawn(server.close(1000, ""));
    let mut last = vec![0; 4];
    within(peer.read_exact(&mut last)).await.unwrap();
    assert_eq!(last, frame::close_frame(1000, ""));
    assert_eq!(line.send(&text_frame("late")), 0);
    drop((peer, line));
    within(closing).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_pings_is_answered_with_one_pong() {
    let (socket, mut peer) = pair().await;
    let mut server = WebSocket::new(socket, &[], 1024);
    let mut stuck = vec![binary_frame(&vec![0; 16 << 20])];
    assert!(server.write(&mut stuck).now_or_never().is_none());
    let mut flood = [0x89, 0x80, 0, 0, 0, 0].repeat(1000);
    flood.extend_from_slice(&[0x81, 0x81, 0, 0, 0, 0, b'x']);
    peer.write_all(&flood).await.unwrap();
    within(server.read()).await.unwrap();
    assert_eq!(server.line().waiting(), 1);
    assert_eq!(server.parser.get_ref().answer, [0x8A, 0]);
}

#[tokio::test]
async fn idle_websockets_use_little_memory() {
    let (mut server, _client) = connected(1024).await;
    assert!(size_of::<WebSocket>() <= 512, "{}", size_of::<WebSocket>());
    let read = size_of_val(&server.read());
    assert!(read <= 64, "{read}");
    let write = size_of_val(&server.write(&mut Vec::new()));
    assert!(write <= 64, "{write}");
}
