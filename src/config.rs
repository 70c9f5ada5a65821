//! All settings with their defaults and meanings, read from flags, environment and a file. Uses no other module.
//!
//! `config.toml` at the top of the repository is the manual of these settings; a test keeps the two in sync.
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

/// An entry of the table of settings, with functions to set the value and to format it as TOML.
struct Setting {
    section: &'static str,
    name: &'static str,
    key: &'static str,
    put: fn(&mut Config, Raw<'_, '_>) -> Result<(), String>,
    show: fn(&Config) -> String,
}

/// Declares the sections, their defaults and the table [`SETTINGS`] in one place, so that none is forgotten.
macro_rules! settings {
    ($($(#[$about:meta])* $section:ident: $Section:ident {
        $($(#[$meaning:meta])* $name:ident: $kind:ty = $default:expr, $check:expr;)*
    })*) => {
        /// All settings of a server. Always valid when returned by [`load()`].
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

        /// All settings, in the order of `config.toml`.
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
    /// Addresses of the server and its database.
    server: Server {
        /// Address and port to listen on; port 0 lets the system choose.
        listen: SocketAddr = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 8080)), any;
        /// The database file; created if it does not exist.
        db: PathBuf = PathBuf::from("parlor.db"), database_path;
        /// The URL that people use, if it differs from the one the server sees (behind a proxy).
        public_url: Option<String> = None, http_url;
        /// Proxies whose `X-Forwarded-For`, `X-Forwarded-Proto`, `Forwarded` and `X-Real-IP` are trusted.
        trusted_proxies: Vec<IpNet> = Vec::new(), any;
        /// Names of this server, in addition to names that only exist in local networks and the one in `public_url`.
        hosts: Hosts = Hosts(Vec::new()), any;
    }

    /// Accounts, passwords and sessions.
    auth: Auth {
        /// Whether anybody may create an account.
        registration: Registration = Registration::Open, any;
        /// Networks from which open registration and guest access are available.
        open_to: Reach = Reach::Private, any;
        /// Minimum length of new passwords, in characters.
        password_min: u32 = 8, within(1..=128);
        /// Rounds of PBKDF2-HMAC-SHA256 for new and changed passwords.
        pbkdf2_rounds: u32 = 600_000, within(1_000..=10_000_000);
        /// Lifetime of an access token.
        access_ttl: Duration = hours(1), within(minutes(1)..=days(1));
        /// Time after which an unused session expires.
        refresh_ttl: Duration = days(30), within(minutes(5)..=days(3650));
    }

    /// Rate limits and other limits per account or address.
    limits: Limits {
        /// Failed logins per minute from one address for one account.
        login_per_minute: Option<NonZeroU32> = NonZeroU32::new(10), any;
        /// New accounts and guests per minute from one address.
        register_per_minute: Option<NonZeroU32> = NonZeroU32::new(30), any;
        /// Wrong access keys per minute of one account, and wrong links from one address.
        wrong_keys_per_minute: Option<NonZeroU32> = NonZeroU32::new(10), any;
        /// Messages per second of one account, on average.
        messages_per_second: Option<NonZeroU32> = NonZeroU32::new(5), any;
        /// Messages that one account may send at once before the average counts.
        messages_burst: u32 = 20, within(1..=100_000);
        /// Other actions that others are notified of, per second of one account, on average.
        actions_per_second: Option<NonZeroU32> = NonZeroU32::new(2), any;
        /// Such actions that one account may perform at once before the average counts.
        actions_burst: u32 = 30, within(1..=100_000);
        /// Maximum number of open connections in total.
        connections: Option<NonZeroU32> = NonZeroU32::new(10_000), any;
        /// Maximum number of open connections from one address; trusted proxies are exempt.
        connections_per_address: Option<NonZeroU32> = NonZeroU32::new(2_000), any;
        /// Maximum number of open WebSockets of one account.
        connections_per_user: Option<NonZeroU32> = NonZeroU32::new(20), any;
    }

    /// Uploaded files.
    files: Files {
        /// Maximum size of a file.
        max_size: ByteSize = ByteSize::mib(25), within(ByteSize(1)..=ByteSize::mib(4096));
        /// Accepted media types.
        types: FileTypes = FileTypes::Any, any;
        /// Maximum size of all files of one account.
        quota_per_user: Option<ByteSize> = Some(ByteSize::mib(1024)), any;
        /// Maximum number of pixels of a picture that is displayed as one.
        max_pixels: u32 = 50_000_000, within(1..=1_000_000_000);
        /// Maximum memory for creating a thumbnail.
        picture_memory: ByteSize = ByteSize::mib(64), within(ByteSize::mib(1)..=ByteSize::mib(4096));
    }

    /// Guests: accounts without a password.
    guests: Guests {
        /// Whether guests may log in.
        enabled: bool = true, any;
        /// Time after which an unused guest account ends.
        expire_after: Duration = days(7), within(minutes(1)..=days(3650));
    }

    /// Online status of people.
    presence: Presence {
        /// Time after which a connection that has ever sent `watchdog` counts as away unless it sends another one.
        timeout: Duration = Duration::from_secs(5), within(Duration::from_millis(100)..=hours(1));
    }

    /// Compatibility with insecure features of the original APIs.
    compat: Compat {
        /// Dialects that require no login on the local network, as in their original APIs.
        open: OpenDialects = OpenDialects::None, any;
        /// A second address for raw WebSocket clients.
        ws_listen: Option<SocketAddr> = None, any;
    }

    /// The web pages.
    web: Web {
        /// WebSocket URL written into the pages if it is not on their own host; also the variable `WS_URL`.
        ws_url: Option<String> = None, ws_url;
    }

    /// CORS: other web sites that may use the API from a browser.
    cors: Cors {
        /// Origins that may use the API; cookies never count for them.
        allowed_origins: Origins = Origins::Any, any;
        /// Origins whose pages may use what needs no account, like this server's own pages.
        trusted_origins: OriginList = OriginList(Vec::new()), any;
    }

    /// Log output on stderr.
    log: Log {
        format: LogFormat = LogFormat::Auto, any;
        /// Least severe level that is logged.
        level: LogLevel = LogLevel::Info, any;
    }
}

impl Config {
    /// Returns a sentence for each valid setting that deserves the operator's attention, to be logged at start.
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

    /// Returns a line for each conflict between settings.
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
