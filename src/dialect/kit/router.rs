//! Router. Paths are data, so that documentation and tests can iterate over them.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use warp::filters::BoxedFilter;
use warp::http::HeaderValue;
use warp::{Filter, filters::path::FullPath};

use crate::transport::stream::Peer;

use super::{
    Call, Fault, HeaderMap, Kit, Method, Response, body, compress, cors, current, set_header,
};

/// Future of a response.
pub type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;
pub type Handler = fn(Call) -> Answering;

/// Turns a fault into a dialect's error response.
pub type ErrorResponder = fn(&Fault) -> Response;

/// One method of one path. A segment in braces is a parameter.
#[derive(Clone)]
pub struct Route {
    /// `GET` also answers `HEAD`.
    pub method: Method,
    /// Path below the surface's prefix, like `/rooms/{id}/members`.
    pub path: &'static str,
    /// Whether a request is for this route, for paths that two dialects share.
    pub when: Option<fn(&Call) -> bool>,
    pub run: Handler,
}

/// All routes of one dialect, and its error responses.
#[derive(Clone)]
pub struct Surface {
    /// Prefix of its routes, like `/api/v1`.
    pub prefix: &'static str,
    pub routes: Vec<Route>,
    pub fault: ErrorResponder,
}

/// Builds a list of [`Route`]s. `$fault` turns a handler's [`Fault`] into a response.
macro_rules! routes {
    (@when) => { None };
    (@when $when:path) => { Some($when) };
    ($fault:path; $($method:ident $path:literal $(if $when:path)? => $handler:path),* $(,)?) => {
        vec![$($crate::dialect::kit::Route {
            method: $crate::dialect::kit::Method::$method,
            path: $path,
            when: $crate::dialect::kit::routes!(@when $($when)?),
            run: |call| Box::pin(async move { $handler(call).await.unwrap_or_else(|fault| $fault(&fault)) }),
        }),*]
    };
}
pub(crate) use routes;

struct Entry {
    segments: Vec<&'static str>,
    method: Method,
    when: Option<fn(&Call) -> bool>,
    run: Handler,
    fault: ErrorResponder,
}

/// Routing table of the server.
pub struct Table {
    kit: Arc<Kit>,
    entries: Vec<Entry>,
    /// Error responders by prefix, longest prefix first.
    prefixes: Vec<(&'static str, ErrorResponder)>,
}

impl Table {
    /// Combines surfaces. Of several with the same prefix, the last one answers for unknown paths below it.
    pub fn new(kit: Arc<Kit>, surfaces: &[Surface]) -> Self {
        let mut prefixes: Vec<_> = surfaces
            .iter()
            .rev()
            .map(|surface| (surface.prefix, surface.fault))
            .collect();
        prefixes.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        let mut entries: Vec<_> = surfaces.iter().flat_map(entries_of).collect();
        // Literal segments before parameters, from the left.
        entries.sort_by_key(|entry| {
            entry
                .segments
                .iter()
                .map(|segment| is_param(segment))
                .collect::<Vec<_>>()
        });
        Self {
            kit,
            entries,
            prefixes,
        }
    }

    /// Turns the table into one warp filter.
    pub fn into_filter(self) -> BoxedFilter<(Response,)> {
        let table = Arc::new(self);
        let query = warp::query::raw().or(warp::any().map(String::new)).unify();
        warp::any()
            .and(warp::method())
            .and(warp::path::full())
            .and(query)
            .and(warp::header::headers_cloned())
            .and(warp::ext::get::<Peer>())
            .and(warp::ext::optional::<OnUpgrade>())
            .and(warp::body::stream())
            .then(
                move |method, path: FullPath, query, headers, Peer(peer), on_upgrade, body| {
                    let (kit, table) = (table.kit.clone(), table.clone());
                    let (path, params, body) = (
                        path.as_str().to_owned(),
                        Vec::new(),
                        Some(body::boxed(body)),
                    );
                    let call = Call {
                        kit,
                        method,
                        path,
                        query,
                        headers,
                        peer,
                        on_upgrade,
                        params,
                        body,
                    };
                    async move { table.answer(call).await }
                },
            )
            .boxed()
    }

    async fn answer(&self, mut call: Call) -> Response {
        let headers = call.headers.clone();
        let head = call.method == Method::HEAD;
        let secure = self.kit.is_secure_context(call.peer, &headers);
        if head {
            call.method = Method::GET;
        }
        let mut response = current::with_headers(headers.clone(), self.dispatch(call)).await;
        cors::dress(&self.kit.origins, &headers, &mut response);
        protect(&mut response, secure);
        compress::compress(&headers, response).await
    }

    async fn dispatch(&self, mut call: Call) -> Response {
        let segments = call.segments();
        let found = self.find(&segments);
        let Some(first) = found.first() else {
            return (self.fault_at(&call.path))(&Fault::NoRoute);
        };
        let is_for = |entry: &&&Entry| entry.when.is_none_or(|when| when(&call));
        let mut with_method = found.iter().filter(|entry| entry.method == call.method);
        if let Some(entry) = with_method.find(is_for) {
            call.params = entry.params(segments);
            return (entry.run)(call).await;
        }
        let allow = allow(&found);
        if call.method == Method::OPTIONS {
            return cors::options(&self.kit.origins, &call.headers, &allow);
        }
        let voice = found.iter().find(is_for).unwrap_or(first).fault;
        let mut response = voice(&Fault::Method(allow.clone()));
        set_header(&mut response, "allow", &allow);
        response
    }

    /// Returns all entries of a path. If one matches literally, entries with a parameter in that place are excluded,
    /// whatever the method.
    fn find(&self, segments: &[String]) -> Vec<&Entry> {
        let mut found: Vec<_> = self.entries.iter().collect();
        found.retain(|entry| entry.matches(segments));
        if let Some(first) = found.first().copied() {
            found.retain(|entry| entry.has_pattern_of(first));
        }
        found
    }

    fn fault_at(&self, path: &str) -> ErrorResponder {
        let below = |prefix: &str| {
            path.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let found = self
            .prefixes
            .iter()
            .find(|(prefix, _)| below(prefix))
            .or(self.prefixes.last());
        found.map_or(|_| Response::default(), |(_, fault)| *fault)
    }
}

impl Entry {
    fn matches(&self, segments: &[String]) -> bool {
        self.segments.len() == segments.len()
            && self
                .segments
                .iter()
                .zip(segments)
                .all(|(own, given)| is_param(own) || own == given)
    }

    /// Whether both have parameters at the same places.
    fn has_pattern_of(&self, other: &Self) -> bool {
        let mut pairs = self.segments.iter().zip(&other.segments);
        pairs.all(|(own, theirs)| is_param(own) == is_param(theirs))
    }

    fn params(&self, segments: Vec<String>) -> Vec<String> {
        let parts = self.segments.iter().zip(segments);
        parts
            .filter(|(own, _)| is_param(own))
            .map(|(_, given)| given)
            .collect()
    }
}

fn entries_of(surface: &Surface) -> impl Iterator<Item = Entry> + '_ {
    surface.routes.iter().map(|route| {
        let parts = surface.prefix.split('/').chain(route.path.split('/'));
        Entry {
            segments: parts.filter(|part| !part.is_empty()).collect(),
            method: route.method.clone(),
            when: route.when,
            run: route.run,
            fault: surface.fault,
        }
    })
}

fn is_param(segment: &str) -> bool {
    segment.starts_with('{')
}

fn allow(found: &[&Entry]) -> String {
    let mut methods: BTreeSet<&str> = found.iter().map(|entry| entry.method.as_str()).collect();
    if methods.contains("GET") {
        methods.insert("HEAD");
    }
    methods.insert("OPTIONS");
    methods.into_iter().collect::<Vec<_>>().join(", ")
}

/// Default security headers of every response. A handler may override them.
const PROTECTION: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
    ),
    ("cache-control", "no-store"),
];

fn protect(response: &mut Response, secure: bool) {
    let headers: &mut HeaderMap = response.headers_mut();
    // Browsers ignore the header in other contexts and log a warning each time.
    let opener = secure.then_some(("cross-origin-opener-policy", "same-origin"));
    for (name, value) in PROTECTION.into_iter().chain(opener) {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
}
