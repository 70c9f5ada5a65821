//! Task-local request headers, so that error pages can use the reader's language.

use super::HeaderMap;
use super::request::cookie;

tokio::task_local! {
    static HEADERS: HeaderMap;
}

/// Runs `answering` with `headers` as the current request's headers.
pub(super) async fn with_headers<T>(headers: HeaderMap, answering: impl Future<Output = T>) -> T {
    HEADERS.scope(headers, answering).await
}

/// Returns a header of the current request, or `None` outside of a request.
pub fn current_header(name: &str) -> Option<String> {
    look(|headers| headers.get(name)?.to_str().ok().map(str::to_owned))
}

/// Returns a cookie of the current request, or `None` outside of a request.
pub fn current_cookie(name: &str) -> Option<String> {
    look(|headers| cookie(headers, name).map(str::to_owned))
}

fn look<T>(find: impl FnOnce(&HeaderMap) -> Option<T>) -> Option<T> {
    HEADERS.try_with(find).ok().flatten()
}
