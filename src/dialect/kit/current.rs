//! The headers of the request that is being answered, for whoever has no request at hand: a fault is spelled without it,
//! but in the reader's language.

use super::HeaderMap;
use super::call::cookie;

tokio::task_local! {
    static HEADERS: HeaderMap;
}

/// Answers a request; what runs in `answering` finds its headers.
pub(super) async fn with_headers<T>(headers: HeaderMap, answering: impl Future<Output = T>) -> T {
    HEADERS.scope(headers, answering).await
}

/// A header of the request that is being answered; `None` outside of one.
pub fn current_header(name: &str) -> Option<String> {
    look(|headers| headers.get(name)?.to_str().ok().map(str::to_owned))
}

/// A cookie of the request that is being answered; `None` outside of one.
pub fn current_cookie(name: &str) -> Option<String> {
    look(|headers| cookie(headers, name).map(str::to_owned))
}

fn look<T>(find: impl FnOnce(&HeaderMap) -> Option<T>) -> Option<T> {
    HEADERS.try_with(find).ok().flatten()
}
