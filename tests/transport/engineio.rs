//! Messages, heartbeat and the end of a session, over both transports.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, advance, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{Poller, Socket, dial, exchange};
use crate::server::{BOTH, ENGINE, SOCKET, start, start_with};
use parlor::transport::engineio::{Config, Reason};

const SECOND: Duration = Duration::from_secs(1);

/// Returns a configuration without the settle timeout, so that only the heartbeat ends sessions.
fn patient() -> Config {
    Config {
        settle_timeout: None,
        ..Config::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_polled_packet_comes_back() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    poller.say("4hello").await;
    assert_eq!(poller.poll().await.packets(), ["4hello"]);
}

#[tokio::test(start_paused = true)]
async fn polled_packets_come_back_together_and_in_order() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    poller.say("4test1\u{1e}4test2\u{1e}4test3").await;
    assert_eq!(
        poller.poll().await.packets(),
        ["4test1", "4test2", "4test3"]
    );
}

#[tokio::test(start_paused = true)]
async fn polled_bytes_travel_as_base64() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    poller.say("4hello\u{1e}bAQIDBA==").await;
    assert_eq!(poller.poll().await.packets(), ["4hello", "bAQIDBA=="]);
}

#[tokio::test(start_paused = true)]
async fn a_poll_waits_for_packets() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    let (answer, ()) = tokio::join!(poller.poll(), poller.say("4late"));
    assert_eq!(answer.packets(), ["4late"]);
}

#[tokio::test(start_paused = true)]
async fn a_payload_has_at_most_16_packets() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    let sent: Vec<_> = (0..100).map(|i| format!("4{i}")).collect();
    poller.say(&sent.join("\u{1e}")).await;
    let mut got: Vec<String> = Vec::new();
    while got.len() < sent.len() {
        let packets = poller.hear().await;
        assert!(packets.len() <= 16);
        got.extend(packets);
    }
    assert_eq!(got, sent);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_packet_in_a_post_ends_the_session() {
    let server = start().await;
    for wrong in ["abc", "", "2", "4a\u{1e}x", "bnot base64!", "0{}"] {
        let poller = Poller::open(server.addr, ENGINE).await;
        assert_eq!(poller.post(wrong).await.status, 400, "{wrong}");
        assert_eq!(poller.poll().await.status, 400, "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_post_that_is_not_utf8_ends_the_session() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    let mut request = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n",
        poller.target()
    )
    .into_bytes();
    request.extend_from_slice(&[b'4', 0xFF]);
    assert_eq!(exchange(poller.addr, &request).await.status, 400);
    assert_eq!(poller.poll().await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn two_polls_at_once_end_the_session() {
    let server = start().await;
    for path in BOTH {
        let poller = Poller::open(server.addr, path).await;
        let (first, second) = tokio::join!(biased; poller.poll(), async {
            sleep(Duration::from_millis(5)).await;
            poller.poll().await
        });
        assert_eq!(first.packets(), ["1"]);
        assert_eq!(second.status, 400);
        assert_eq!(poller.poll().await.status, 400);
    }
}

#[tokio::test(start_paused = true)]
async fn two_posts_at_once_end_the_session() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    let mut first = dial(poller.addr).await;
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n4",
        poller.target()
    );
    first.write_all(head.as_bytes()).await.unwrap();
    let (poll, post) = tokio::join!(biased; poller.poll(), async {
        sleep(Duration::from_millis(5)).await;
        poller.post("4hello").await
    });
    assert_eq!(post.status, 400);
    assert_eq!(poll.packets(), ["1"]);
}

#[tokio::test(start_paused = true)]
async fn text_and_bytes_come_back_on_a_websocket() {
    let server = start().await;
    let (mut socket, _) = Socket::open(server.addr, ENGINE).await;
    socket.say("4hello").await;
    assert_eq!(socket.hear().await, "4hello");
    socket.give(&[1, 2, 3, 4]).await;
    assert_eq!(socket.next().await, Message::binary(vec![1, 2, 3, 4]));
}

#[tokio::test(start_paused = true)]
async fn an_invalid_packet_closes_the_websocket() {
    let server = start().await;
    for wrong in ["abc", "", "2", "6", "2probe"] {
        let (mut socket, _) = Socket::open(server.addr, ENGINE).await;
        socket.say(wrong).await;
        assert_eq!(socket.closed().await, 1002, "{wrong}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_poller_is_pinged_at_every_interval() {
    let server = start_with(patient()).await;
    for path in BOTH {
        let poller = Poller::open(server.addr, path).await;
        for _ in 0..3 {
            let begun = Instant::now();
            assert_eq!(poller.poll().await.packets(), ["2"]);
            assert_eq!(begun.elapsed().as_secs(), 25);
            poller.say("3").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_poller_that_does_not_answer_pings_is_closed() {
    let server = start_with(patient()).await;
    for path in BOTH {
        let silent = Poller::open(server.addr, path).await;
        sleep(45 * SECOND).await;
        assert_eq!(silent.poll().await.status, 400);

        let deaf = Poller::open(server.addr, path).await;
        assert_eq!(deaf.poll().await.packets(), ["2"]);
        let begun = Instant::now();
        assert_eq!(deaf.poll().await.status, 400);
        assert_eq!(begun.elapsed().as_secs(), 20);
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_survive_a_suspended_process() {
    let server = start_with(patient()).await;
    let poller = Poller::open(server.addr, ENGINE).await;
    let (mut socket, _) = Socket::open(server.addr, ENGINE).await;
    assert_eq!(socket.hear().await, "2");
    // All timers are late, and the clients' answers have not been read.
    advance(60 * SECOND).await;
    socket.say("3").await;
    poller.say("4hello").await;
    assert_eq!(poller.poll().await.packets(), ["2", "4hello"]);
    socket.say("4hello").await;
    assert_eq!(socket.hear().await, "4hello");
}

#[tokio::test(start_paused = true)]
async fn a_due_ping_is_sent_with_the_next_poll() {
    let server = start_with(patient()).await;
    let poller = Poller::open(server.addr, ENGINE).await;
    sleep(30 * SECOND).await;
    poller.say("4hello").await;
    assert_eq!(poller.poll().await.packets(), ["2", "4hello"]);
    poller.say("3").await;
    sleep(24 * SECOND).await;
    poller.say("4still here").await;
}

#[tokio::test(start_paused = true)]
async fn a_websocket_is_pinged_at_every_interval() {
    let server = start_with(patient()).await;
    for path in BOTH {
        let (mut socket, _) = Socket::open(server.addr, path).await;
        for _ in 0..3 {
            let begun = Instant::now();
            assert_eq!(socket.hear().await, "2");
            assert_eq!(begun.elapsed().as_secs(), 25);
            socket.say("3").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_websocket_that_does_not_answer_pings_is_closed() {
    let server = start_with(patient()).await;
    for path in BOTH {
        let (mut socket, _) = Socket::open(server.addr, path).await;
        let begun = Instant::now();
        assert_eq!(socket.hear().await, "2");
        socket.closed().await;
        assert_eq!(begun.elapsed().as_secs(), 45);
    }
}

#[tokio::test(start_paused = true)]
async fn a_poller_that_closes_ends_its_poll() {
    let server = start().await;
    for path in BOTH {
        let poller = Poller::open(server.addr, path).await;
        let (answer, ()) = tokio::join!(biased; poller.poll(), poller.say("1"));
        assert_eq!(answer.packets(), ["6"]);
        assert_eq!(poller.poll().await.status, 400);
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_just_after_the_close_is_answered() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    poller.say("1").await;
    assert_eq!(poller.poll().await.packets(), ["6"]);
    assert_eq!(poller.poll().await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_close_packet_closes_the_websocket() {
    let server = start().await;
    for path in BOTH {
        let (mut socket, _) = Socket::open(server.addr, path).await;
        socket.say("1").await;
        assert_eq!(socket.closed().await, 1000);
    }
}

#[tokio::test(start_paused = true)]
async fn an_aborted_poll_ends_the_session_at_once() {
    let mut server = start().await;
    let poller = Poller::open(server.addr, SOCKET).await;
    poller.say("40").await;
    poller.hear().await;
    let begun = Instant::now();
    let mut tcp = dial(server.addr).await;
    let request = format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", poller.target());
    tcp.write_all(request.as_bytes()).await.unwrap();
    sleep(SECOND).await;
    drop(tcp);
    assert_eq!(server.next_lost().await, Reason::Gone);
    assert!(begun.elapsed() < 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_post_is_processed_though_the_client_disconnects() {
    let server = start().await;
    let poller = Poller::open(server.addr, ENGINE).await;
    let mut tcp = dial(poller.addr).await;
    let request = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\n4hello",
        poller.target()
    );
    tcp.write_all(request.as_bytes()).await.unwrap();
    drop(tcp);
    assert_eq!(poller.poll().await.packets(), ["4hello"]);
}
