//! Signals to `parlor serve`.

use rustix::process::Signal;

use super::serve::{Process, ask};

const REQUEST: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[test]
fn every_terminating_signal_starts_draining() {
    for (signal, name) in [
        (Signal::TERM, "SIGTERM"),
        (Signal::INT, "SIGINT"),
        (Signal::HUP, "SIGHUP"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::USR2, "SIGUSR2"),
    ] {
        let server = Process::start_by(":", &[]);
        server.signal(signal);
        assert_eq!(server.logged("received a signal: stopping")["signal"], name);
        server.logged("stopping");
        assert_eq!(server.ended().code(), Some(0), "{name}");
    }
}

#[test]
fn a_second_signal_stops_at_once_except_sighup() {
    let server = Process::start_by(":", &[]);
    // The server waits for the rest of this request.
    let mut slow = server.connect_from(1);
    let begun = ask(
        &mut slow,
        "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n",
    );
    assert!(begun.starts_with("HTTP/1.1 100"), "{begun}");
    for signal in [Signal::INT, Signal::HUP] {
        server.signal(signal);
        server.logged(if signal == Signal::INT {
            "received a signal: stopping"
        } else {
            "received another signal"
        });
    }
    server.signal(Signal::INT);
    assert_eq!(server.ended().code(), Some(1));
}

#[test]
fn an_ignored_sighup_stays_ignored() {
    let server = Process::start_by("trap '' HUP", &[]);
    server.signal(Signal::HUP);
    let answer = ask(&mut server.connect_from(1), REQUEST);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    server.signal(Signal::TERM);
    assert_eq!(
        server.logged("received a signal: stopping")["signal"],
        "SIGTERM"
    );
    assert_eq!(server.ended().code(), Some(0));
}
