//! CORS headers for polling. Must never send Access-Control-Allow-Credentials: cookies are not accepted from pages of
//! other sites.

use hyper::HeaderMap;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue, ORIGIN, VARY,
};

/// Origins whose pages may read responses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    #[default]
    Any,
    /// Listed origins, as `scheme://host[:port]`.
    Listed(Vec<String>),
}

impl Origins {
    /// Adds the headers with which a browser lets the page that sent `request` read the response.
    pub fn allow(&self, request: &HeaderMap, response: &mut HeaderMap) {
        match self {
            Self::Any => {
                let any = HeaderValue::from_static("*");
                response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, any);
            }
            Self::Listed(origins) => {
                response.append(VARY, HeaderValue::from_static("origin"));
                let listed = |origin: &&HeaderValue| {
                    let origin = origin.as_bytes();
                    origins.iter().any(|listed| listed.as_bytes() == origin)
                };
                if let Some(origin) = request.get(ORIGIN).filter(listed) {
                    response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                }
            }
        }
    }

    /// Adds the headers of a preflight response. All request headers are allowed, because none of them is a credential
    /// that the browser adds by itself.
    pub fn preflight(&self, request: &HeaderMap, response: &mut HeaderMap) {
        self.allow(request, response);
        let methods = HeaderValue::from_static("GET, POST");
        response.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        let headers = request.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        let headers = headers.unwrap_or(HeaderValue::from_static("authorization, content-type"));
        response.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers);
        response.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(ORIGIN, HeaderValue::from_static(origin))])
    }
    fn allowed(origins: &Origins, origin: &'static str) -> Option<HeaderValue> {
        let mut response = HeaderMap::new();
        origins.allow(&from(origin), &mut response);
        response.remove(ACCESS_CONTROL_ALLOW_ORIGIN)
    }

    #[test]
    fn only_listed_origins_are_allowed() {
        assert_eq!(allowed(&Origins::Any, "http://a").unwrap(), "*");
        let listed = Origins::Listed(vec!["http://a".to_owned()]);
        assert_eq!(allowed(&listed, "http://a").unwrap(), "http://a");
        assert_eq!(allowed(&listed, "http://a.evil"), None);
    }

    #[test]
    fn a_preflight_allows_the_authorization_header() {
        let mut response = HeaderMap::new();
        Origins::Any.preflight(&from("http://a"), &mut response);
        let headers = response[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
        assert!(headers.contains("authorization"));
        assert!(!response.contains_key("access-control-allow-credentials"));
    }
}
