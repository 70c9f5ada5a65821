//! Every setting of the server with its default and meaning; reads flags, environment and file. Uses nothing of the crate.
//!
//! `config.toml` at the top of the repository is the manual of these settings; a test keeps the two equal.
//!
//! Order of precedence: command-line flags, then `PARLOR_SECTION__KEY` (or `PARLOR_SECTION__KEY_FILE`, whose content is
//! the value), then the file named with `--config`, then the defaults below. No file is read unless it is named.

mod kinds;
mod load;
mod names;
mod size;
mod value;

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

pub use kinds::{DIALECTS, LogFormat, LogLevel, OpenDialects, Reach, Registration};
pub use load::{ConfigError, Flags, Loaded, Origin, load};
pub use names::{Hosts, OriginList, Origins};
pub use size::{ByteSize, FileTypes};
use value::{Raw, Value, any, database_path, days, hours, http_url, minutes, within, ws_url};

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
        db: PathBuf = PathBuf::from("parlor.db"), database_path;
        /// The address people type, when it is not the one the server sees (behind a proxy).
        public_url: Option<String> = None, http_url;
        /// Proxies whose `X-Forwarded-For`, `X-Forwarded-Proto`, `Forwarded` and `X-Real-IP` are believed.
        trusted_proxies: Vec<IpNet> = Vec::new(), any;
        /// Names of this server beside those that only a local network has and `public_url`'s.
        hosts: Hosts = Hosts(Vec::new()), any;
    }

    /// Accounts, passwords and sessions.
    auth: Auth {
        /// Whether anybody may make an account.
        registration: Registration = Registration::Open, any;
        /// From where open registration and guests are answered.
        open_to: Reach = Reach::Private, any;
        /// The fewest characters of a password that is chosen.
        password_min: u32 = 8, within(1..=128);
        /// Rounds of PBKDF2-HMAC-SHA256 for new and changed passwords.
        pbkdf2_rounds: u32 = 600_000, within(1_000..=10_000_000);
        /// How long an access token is good.
        access_ttl: Duration = hours(1), within(minutes(1)..=days(1));
        /// How long a session lives without being used.
        refresh_ttl: Duration = days(30), within(minutes(5)..=days(3650));
    }

    /// How much one person or address may do.
    limits: Limits {
        /// Failed logins per minute from one address for one account.
        login_per_minute: Option<NonZeroU32> = NonZeroU32::new(10), any;
        /// New accounts and guests per minute from one address.
        register_per_minute: Option<NonZeroU32> = NonZeroU32::new(30), any;
        /// Wrong access keys per minute of one person, and wrong links from one address.
        wrong_keys_per_minute: Option<NonZeroU32> = NonZeroU32::new(10), any;
        /// Messages per second of one person, on average.
        messages_per_second: Option<NonZeroU32> = NonZeroU32::new(5), any;
        /// Messages one person may send at once before the average counts.
        messages_burst: u32 = 20, within(1..=100_000);
        /// Other actions that people are told of, per second of one person, on average.
        actions_per_second: Option<NonZeroU32> = NonZeroU32::new(2), any;
        /// Such actions one person may do at once before the average counts.
        actions_burst: u32 = 30, within(1..=100_000);
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
        /// Origins whose pages count as our own for what needs no account.
        trusted_origins: OriginList = OriginList(Vec::new()), any;
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
                "server.public_url is https, but server.trusted_proxies is empty: who comes through \
                 a proxy counts as the internet, and if the proxy sends no forwarding header, as local"
                    .to_owned(),
            );
        }
        warnings.extend(self.origin_warnings());
        warnings
    }

    fn origin_warnings(&self) -> impl Iterator<Item = String> {
        let everybody = self
            .server
            .trusted_proxies
            .iter()
            .filter(|network| network.prefix_len() == 0)
            .map(|network| {
                format!(
                    "server.trusted_proxies has {network}: everybody may claim any address, also a local one"
                )
            });
        let not_allowed = self
            .cors
            .trusted_origins
            .0
            .iter()
            .filter(|origin| !self.cors.allowed_origins.allows(origin))
            .map(|origin| {
                format!(
                    "cors.trusted_origins has {origin}, whose pages cors.allowed_origins does not let read anything"
                )
            });
        let odd_host = self
            .server
            .public_url
            .iter()
            .filter(|url| !names::has_plain_host(url))
            .map(|url| {
                format!(
                    "server.public_url = {url} has a host that browsers write otherwise (xn--…): requests to it count as the internet"
                )
            });
        everybody.chain(not_allowed).chain(odd_host)
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
