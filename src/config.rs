//! Every setting of the server with its default and meaning; reads flags, environment and file. Uses nothing of the crate.
//!
//! `config.toml` at the top of the repository is the manual of these settings; a test keeps the two equal.
//!
//! Order of precedence: command-line flags, then `PARLOR_SECTION__KEY` (or `PARLOR_SECTION__KEY_FILE`, whose content is
//! the value), then the file named with `--config`, then the defaults below. No file is read unless it is named.

mod kinds;
mod load;
mod size;
mod value;

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

pub use kinds::{DIALECTS, LogFormat, LogLevel, OpenDialects, Origins, Reach, Registration};
pub use load::{ConfigError, Flags, Loaded, Origin, load};
pub use size::{ByteSize, FileTypes};
use value::{Raw, Value, any, days, hours, http_url, minutes, within, ws_url};

/// One entry of the table of settings: how to put a value in place and how to write it as TOML.
struct Setting {
    section: &'static str,
    name: &'static str,
    key: &'static str,
    put: fn(&mut Config, Raw<'_, '_>) -> Result<(), String>,
    show: fn(&Config) -> String,
}

/// Declares the sections, their defaults and the table [`SETTINGS`] in one place, so that none can be forgotten.
macro_rules! settings {
    ($($(#[$about:meta])* $section:ident: $Section:ident {
        $($(#[$meaning:meta])* $name:ident: $kind:ty = $default:expr, $check:expr;)*
    })*) => {
        /// All settings of a server, valid by construction when they come from [`load()`].
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Config {
            $($(#[$about])* pub $section: $Section,)*
        }

        $($(#[$about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Section {
            $($(#[$meaning])* pub $name: $kind,)*
        }

        impl Default for $Section {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        })*

        /// Every setting, in the order of `config.toml`.
        static SETTINGS: &[Setting] = &[$($(Setting {
            section: stringify!($section),
            name: stringify!($name),
            key: concat!(stringify!($section), ".", stringify!($name)),
            put: |config, raw| {
                let value = <$kind as Value>::read(raw)?;
                ($check)(&value)?;
                config.$section.$name = value;
                Ok(())
            },
            show: |config| config.$section.$name.to_toml(),
        },)*)*];
    };
}

settings! {
    /// Where the server is found and where it keeps what it knows.
    server: Server {
        /// Address and port to listen on; port 0 lets the system choose.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)), any;
        /// The database file; made when it is missing.
        db: PathBuf = PathBuf::from("parlor.db"), any;
        /// The address people type, when it is not the one the server sees (behind a proxy).
        public_url: Option<String> = None, http_url;
        /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
        trusted_proxies: Vec<IpNet> = Vec::new(), any;
    }

    /// Accounts, passwords and sessions.
    auth: Auth {
        /// Whether anybody may make an account.
        registration: Registration = Registration::Open, any;
        /// From where open registration and guests are answered.
        open_to: Reach = Reach::Private, any;
        /// Rounds of PBKDF2-HMAC-SHA256 for new and changed passwords.
        pbkdf2_rounds: u32 = 600_000, within(1_000..=10_000_000);
        /// How long an access token is good.
        access_ttl: Duration = hours(1), within(minutes(1)..=days(1));
        /// How long a session lives without being used.
        refresh_ttl: Duration = days(30), within(minutes(5)..=days(3650));
    }

    /// How much one person or address may do.
    limits: Limits {
        /// Failed logins per minute from one address, and for one account.
        login_per_minute: Option<NonZeroU32> = NonZeroU32::new(10), any;
        /// New accounts and guests per minute from one address.
        register_per_minute: Option<NonZeroU32> = NonZeroU32::new(30), any;
        /// Access keys per minute that one person may guess wrong.
        wrong_keys_per_minute: Option<NonZeroU32> = NonZeroU32::new(10), any;
        /// Messages per second of one person, on average.
        messages_per_second: Option<NonZeroU32> = NonZeroU32::new(5), any;
        /// Messages one person may send at once before the average counts.
        messages_burst: u32 = 20, within(1..=100_000);
        /// Connections open at once, all together.
        connections: Option<NonZeroU32> = NonZeroU32::new(10_000), any;
        /// Connections open at once from one address; trusted proxies are not counted.
        connections_per_address: Option<NonZeroU32> = NonZeroU32::new(2_000), any;
        /// WebSockets open at once of one person.
        connections_per_user: Option<NonZeroU32> = NonZeroU32::new(20), any;
    }

    /// Files that people send.
    files: Files {
        /// The largest file.
        max_size: ByteSize = ByteSize::mib(25), within(ByteSize(1)..=ByteSize::mib(4096));
        /// Which types are taken.
        types: FileTypes = FileTypes::Any, any;
        /// All the files one person keeps here.
        quota_per_user: Option<ByteSize> = Some(ByteSize::mib(1024)), any;
        /// Pixels of the largest picture that is shown as one.
        max_pixels: u32 = 50_000_000, within(1..=1_000_000_000);
        /// Memory that making a thumbnail may take.
        picture_memory: ByteSize = ByteSize::mib(64), within(ByteSize::mib(1)..=ByteSize::mib(4096));
    }

    /// Guests: accounts without a password.
    guests: Guests {
        /// Whether guests are let in.
        enabled: bool = true, any;
        /// A guest ends after this time without use.
        expire_after: Duration = days(7), within(minutes(1)..=days(3650));
    }

    /// Who is shown as being there.
    presence: Presence {
        /// A connection that has ever sent `watchdog` is away after this time without another.
        timeout: Duration = Duration::from_secs(5), within(Duration::from_millis(100)..=hours(1));
    }

    /// Compatibility with the documented holes of other systems.
    compat: Compat {
        /// Dialects that answer as openly as their documents say, without a login.
        open: OpenDialects = OpenDialects::None, any;
        /// A second address for raw WebSocket clients.
        ws_listen: Option<SocketAddr> = None, any;
    }

    /// The pages for people.
    web: Web {
        /// WebSocket address written into the pages, when it is not the page's own host; also the variable `WS_URL`.
        ws_url: Option<String> = None, ws_url;
    }

    /// Which other web sites may call the API from a browser.
    cors: Cors {
        /// Origins that may call; cookies never count for them.
        allowed_origins: Origins = Origins::Any, any;
    }

    /// What the server writes to stderr.
    log: Log {
        /// How a line looks.
        format: LogFormat = LogFormat::Auto, any;
        /// The least important line that is written.
        level: LogLevel = LogLevel::Info, any;
    }
}

impl Config {
    /// What is allowed but deserves the operator's attention, one sentence each; to be logged at start.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.compat.open != OpenDialects::None {
            warnings.push(format!(
                "compat.open = {} lets people in without a login: for a demo or a class room only",
                self.compat.open.to_toml()
            ));
        }
        if self.auth.pbkdf2_rounds < 100_000 {
            warnings.push(format!(
                "auth.pbkdf2_rounds = {} makes stolen passwords cheap to guess: for tests only",
                self.auth.pbkdf2_rounds
            ));
        }
        let is_behind_proxy = self
            .server
            .public_url
            .as_ref()
            .is_some_and(|url| url.starts_with("https://"));
        if is_behind_proxy && self.server.trusted_proxies.is_empty() {
            warnings.push(
                "server.public_url is https, but server.trusted_proxies is empty: everybody seems \
                 to come from the proxy and counts as local"
                    .to_owned(),
            );
        }
        warnings
    }

    /// Rules that hold between settings, as one line each.
    fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.auth.access_ttl > self.auth.refresh_ttl {
            found.push(
                "auth.access_ttl is longer than auth.refresh_ttl: make it the shorter of the two"
                    .to_owned(),
            );
        }
        if self.compat.ws_listen == Some(self.server.listen) && self.server.listen.port() != 0 {
            found.push(
                "compat.ws_listen equals server.listen: choose another port, or leave it empty, \
                 for raw WebSocket clients are served on server.listen too"
                    .to_owned(),
            );
        }
        found
    }
}

#[cfg(test)]
mod tests;
