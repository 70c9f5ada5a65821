//! The banner of `parlor serve`: its addresses, and the set-up link while there is no admin.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use crate::config::Config;
use crate::server::Server;

/// Black on white whatever the colours of the terminal: not every camera reads it the other way round.
const QR_COLORS: &str = "\x1b[30;107m";

/// Prints it to stdout.
pub(super) fn print(config: &Config, server: &Server) {
    let mut stdout = io::stdout();
    let text = text(config, server, stdout.is_terminal());
    // Whoever started us may have closed stdout; that is no reason not to serve.
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

fn text(config: &Config, server: &Server, is_terminal: bool) -> String {
    let db = config.server.db.display();
    let mut text = format!(
        "Parlor {} keeps everything in {db}. Open it in a browser:\n",
        env!("CARGO_PKG_VERSION"),
    );
    let public = config.server.public_url.as_deref();
    let (urls, local) = server.urls();
    for url in public.into_iter().chain(urls.iter().map(String::as_str)) {
        let _ = writeln!(text, "  {url}");
    }
    match &local {
        Some(url) if urls.is_empty() && public.is_none() => {
            let _ = writeln!(text, "  {url}");
        }
        Some(url) => {
            let _ = writeln!(text, "  {url} (on this machine)");
        }
        None => {}
    }
    let best = public.or(urls.first().map(String::as_str));
    if let (Some(token), Some(url)) = (server.chat().setup_token(), best.or(local.as_deref())) {
        let link = format!("{url}/setup?token={token}");
        let _ = writeln!(
            text,
            "Nobody administers this server yet. This link makes you its admin; it works once, for 24 hours:\n  {link}"
        );
        // A telephone does not get anywhere by an address of this machine alone.
        if is_terminal && best.is_some() {
            text.push_str(&qr_code(&link));
        }
    }
    text
}

/// A QR code for a terminal; nothing if the text is too long for one.
fn qr_code(link: &str) -> String {
    let Ok(code) = QrCode::new(link) else {
        return String::new();
    };
    let picture = code.render::<Dense1x2>().build();
    picture
        .lines()
        .map(|line| format!("  {QR_COLORS}{line}\x1b[0m\n"))
        .collect()
}
