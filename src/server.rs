//! Puts the server together: opens the store, starts the core, mounts the surfaces, listens and drains.

mod addresses;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;
use warp::Filter;

use crate::chat::{Chat, ChatError, Settings};
use crate::config::{Config, DIALECTS, FileTypes, Origins as AllowedOrigins, Reach, Registration};
use crate::dialect::kit::{Answer, Call, Fault, Response, StatusCode, Surface, routes};
use crate::dialect::{self, kit};
use crate::store::{OpenOptions, Store, StoreError};
use crate::transport::access_log::{AccessLog, Client, Locate};
use crate::transport::connection_limit::{Gate, Limits};
use crate::transport::guard::Guard;
use crate::transport::listener::{Listener, raise_descriptor_limit};
use crate::transport::socketio;
use crate::web;

/// Maximum time that connections get to end at shutdown.
const DRAIN: Duration = Duration::from_secs(7);

/// Number of file descriptors reserved: 64 for refusals that are being written, the rest for the database, the
/// listeners and the runtime.
const DESCRIPTORS_KEPT: usize = 64 + 64;

/// Error at start-up.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the chat cannot start: {0}")]
    Chat(#[from] ChatError),
    #[error("{address}: {source}; choose another with --listen")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
}

/// A server that has bound its addresses and does not serve yet.
pub struct Server {
    chat: Chat,
    listeners: Vec<Listener>,
    gate: Arc<Gate>,
    routes: warp::filters::BoxedFilter<(Response,)>,
    locate: Arc<Locate>,
    address: SocketAddr,
}

impl Server {
    /// Opens the database and the listeners. Must be called on a tokio runtime.
    ///
    /// # Errors
    /// If the database cannot be opened or an address cannot be bound.
    pub async fn bind(config: &Config, options: OpenOptions) -> Result<Self, ServerError> {
        let descriptors = raise_descriptor_limit().unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot raise the limit of open files");
            None
        });
        let gate = Gate::new(within_descriptors(gate_limits(config), descriptors));
        let main = listen(config.server.listen).await?;
        let address = main.local_addr().unwrap_or(config.server.listen);
        let mut listeners = vec![Listener::new(main, gate.clone())];
        if let Some(second) = config.compat.ws_listen {
            listeners.push(Listener::new(listen(second).await?, gate.clone()));
        }
        let path = config.server.db.clone();
        let store = tokio::task::spawn_blocking(move || Store::open(&path, &options))
            .await
            .map_err(ChatError::internal)??;
        let chat = match Chat::start(store.clone(), settings(config)).await {
            Err(ChatError::Full) => return Err(store.full_disk().into()),
            started => started?,
        };
        let shared = Arc::new(kit_of(config, chat.clone()));
        let locate = locate(shared.clone());
        let sockets = kit::Sockets::new(shared.clone(), dialect::event_surfaces());
        let sockets = socketio::routes(
            Arc::new(sockets),
            sockets_config(config, &shared),
            "socket.io",
        );
        let routes = sockets
            .or(kit::Table::new(shared, &surfaces()).into_filter())
            .unify()
            .boxed();
        Ok(Self {
            chat,
            listeners,
            gate,
            routes,
            locate,
            address,
        })
    }

    /// Returns the bound address; with port 0 it has the port chosen by the system.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the core, for inspection and tests.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// Returns the URLs for other machines, the best first, and the URL for this machine only.
    pub fn urls(&self) -> (Vec<String>, Option<String>) {
        let (ip, port) = (self.address.ip(), self.address.port());
        let url = |ip: IpAddr| format!("http://{}", SocketAddr::new(ip, port));
        match ip {
            _ if ip.is_loopback() => (Vec::new(), Some(url(ip))),
            _ if !ip.is_unspecified() => (vec![url(ip)], None),
            _ => {
                let reachable = addresses::reachable(ip.is_ipv6());
                let local = url(std::net::Ipv4Addr::LOCALHOST.into());
                (reachable.into_iter().map(url).collect(), Some(local))
            }
        }
    }

    /// Serves until `stop` resolves, then drains: refuses new connections, notifies sockets, finishes queued work.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let (shutdown, stopped) = watch::channel(false);
        let mut serving = tokio::task::JoinSet::new();
        for listener in self.listeners {
            let routes = TowerToHyperService::new(warp::service(self.routes.clone()));
            let service = AccessLog::new(Guard::new(routes), self.locate.clone());
            if let Ok(address) = listener.local_addr() {
                tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "listening");
            }
            serving.spawn(listener.serve(service, stopped.clone()));
        }
        stop.await;
        tracing::info!("stopping");
        let _ = shutdown.send(true);
        self.chat.drain();
        if tokio::time::timeout(DRAIN, self.gate.emptied())
            .await
            .is_err()
        {
            tracing::warn!("some connections did not close in time");
        }
        self.chat.stop().await;
        serving.shutdown().await;
    }
}

/// Returns the function that finds the client of a request for the access log.
fn locate(kit: Arc<kit::Kit>) -> Arc<Locate> {
    Arc::new(move |peer, headers| {
        let (address, is_proxied) = kit.client_of(peer, headers);
        Client {
            address,
            is_proxied,
        }
    })
}

/// Returns all routes: those of the dialects, the pages and the health checks. Public for tests that iterate over them.
pub fn surfaces() -> Vec<Surface> {
    let own = routes![plain_fault; GET "/healthz" => healthz, GET "/readyz" => readyz];
    let own = Surface {
        prefix: "",
        routes: own,
        fault: plain_fault,
    };
    // The pages come last, so that they answer for unknown paths.
    let shared = [own, web::docs_surface(), web::surface()];
    dialect::surfaces().into_iter().chain(shared).collect()
}

async fn healthz(_: Call) -> Answer {
    Ok(Response::new("ok\n".into()))
}

async fn readyz(call: Call) -> Answer {
    let (status, text) = match call.kit.chat.ready().await {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason + "\n"),
    };
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    Ok(response)
}

/// Returns the error response outside of all dialects: a line with the status.
fn plain_fault(fault: &Fault) -> Response {
    let status = match fault {
        Fault::NoRoute => StatusCode::NOT_FOUND,
        Fault::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = Response::new(format!("{status}\n").into());
    *response.status_mut() = status;
    response
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| ServerError::Listen { address, source })
}

fn sockets_config(config: &Config, kit: &kit::Kit) -> socketio::Config {
    // Polling sessions outlive their connections, so they have a limit of their own, equally strict.
    let sessions = Gate::new(gate_limits(config));
    socketio::Config {
        origins: kit.origins.clone(),
        sessions,
        ..socketio::Config::default()
    }
}

fn gate_limits(config: &Config) -> Limits {
    let count = |limit: Option<std::num::NonZeroU32>| {
        limit.map_or(usize::MAX, |limit| limit.get() as usize)
    };
    Limits {
        total: count(config.limits.connections),
        per_address: count(config.limits.connections_per_address),
        exempt: config.server.trusted_proxies.clone(),
    }
}

/// Reserves descriptors for the database, for refusals and for everything else the process opens, so that clients above
/// the limit get a response.
fn within_descriptors(limits: Limits, descriptors: Option<u64>) -> Limits {
    let Some(descriptors) = descriptors.and_then(|n| usize::try_from(n).ok()) else {
        return limits;
    };
    let usable = descriptors - DESCRIPTORS_KEPT.min(descriptors / 2);
    if usable < limits.total {
        tracing::warn!(
            descriptors,
            connections = usable,
            "the limit of open files allows fewer connections than limits.connections: raise it (ulimit -n)"
        );
    }
    Limits {
        total: limits.total.min(usable),
        ..limits
    }
}

fn settings(config: &Config) -> Settings {
    Settings {
        registration_open: config.auth.registration == Registration::Open,
        guests: config.guests.enabled,
        open_to_all: config.auth.open_to == Reach::Any,
        guests_expire_after: config.guests.expire_after,
        password_min: config.auth.password_min,
        pbkdf2_rounds: config.auth.pbkdf2_rounds,
        access_ttl: config.auth.access_ttl,
        refresh_ttl: config.auth.refresh_ttl,
        logins_per_minute: config.limits.login_per_minute,
        registrations_per_minute: config.limits.register_per_minute,
        wrong_keys_per_minute: config.limits.wrong_keys_per_minute,
        messages_per_second: config.limits.messages_per_second,
        messages_burst: config.limits.messages_burst,
        actions_per_second: config.limits.actions_per_second,
        actions_burst: config.limits.actions_burst,
        connections_per_user: config.limits.connections_per_user,
        file_size_max: config.files.max_size.0,
        picture_pixels_max: config.files.max_pixels.into(),
        picture_memory_max: config.files.picture_memory.0,
        file_types: match &config.files.types {
            FileTypes::Any => None,
            FileTypes::Only(types) => Some(types.clone()),
        },
        file_quota: config.files.quota_per_user.map(|quota| quota.0),
        away_after: config.presence.timeout,
    }
}

fn kit_of(config: &Config, chat: Chat) -> kit::Kit {
    kit::Kit {
        chat,
        network: kit::Network {
            public_url: config.server.public_url.clone(),
            trusted_proxies: config.server.trusted_proxies.clone(),
            hosts: config.server.hosts.0.clone(),
            trusted_origins: config.cors.trusted_origins.0.clone(),
        },
        origins: match &config.cors.allowed_origins {
            AllowedOrigins::Any => kit::Origins::Any,
            AllowedOrigins::Only(sites) => kit::Origins::Listed(sites.clone()),
        },
        ws_url: config.web.ws_url.clone(),
        compat_open: DIALECTS
            .iter()
            .copied()
            .filter(|name| config.compat.open.includes(name))
            .collect(),
        offload: kit::Offload::default(),
    }
}
