//! The banner of `parlor serve`: its URLs, and the setup link if there is no admin.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use crate::config::Config;
use crate::server::Server;

/// Black on white regardless of the terminal's colours: some cameras cannot read inverted codes.
const QR_COLORS: &str = "\x1b[30;107m";

/// Prints the banner to stdout.
pub(super) fn print(config: &Config, server: &Server) {
    let mut stdout = io::stdout();
    let text = text(config, server, stdout.is_terminal());
    // A closed stdout must not prevent the server from running.
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
            "To set up this server, open this link (works once, expires in 24 hours):\n  {link}"
        );
        // A phone cannot use an address that is valid on this machine only.
        if is_terminal && best.is_some() {
            text.push_str(&qr_code(&link));
        }
    }
    text
}

/// Renders a QR code for a terminal. Empty if the text is too long.
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
