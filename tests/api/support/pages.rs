//! A browser without scripts.

use form_urlencoded::Serializer;

use super::{Client, PASSWORD, Reply, TestServer};

pub async fn submit(client: &Client, path: &str, fields: &[(&str, &str)]) -> Reply {
    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    client.send("POST", path, FORM, body).await
}

/// A client with a session cookie and its CSRF token.
#[derive(Clone)]
pub struct Pages {
    pub client: Client,
    pub csrf: String,
}

impl Pages {
    /// Logs in with an existing account.
    pub async fn log_in(server: &TestServer, name: &str) -> Self {
        let fields = [("username", name), ("password", PASSWORD)];
        let reply = submit(&server.anybody(), "/auth/login", &fields).await;
        reply.leads_to("/");
        Self::holding(server, &reply).await
    }

    /// Logs in as a new guest.
    pub async fn guest(server: &TestServer, name: &str) -> Self {
        let reply = submit(&server.anybody(), "/auth/guest", &[("username", name)]).await;
        reply.leads_to("/");
        Self::holding(server, &reply).await
    }

    /// Uses the session cookie of `reply`.
    pub async fn holding(server: &TestServer, reply: &Reply) -> Self {
        let cookie = reply.header("set-cookie").split(';').next().unwrap();
        let client = server.anybody().with("cookie", cookie);
        let page = client.get("/rooms").await;
        let csrf = between(page.page(200), r#"<meta name="csrf" content=""#, "\"").to_owned();
        Self { client, csrf }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.client.get(path).await
    }

    /// Gets a page and asserts 200.
    pub async fn read(&self, path: &str) -> String {
        self.get(path).await.page(200).to_owned()
    }

    /// Submits a form with the CSRF token.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let token = [("csrf", self.csrf.as_str())];
        submit(&self.client, path, &[&token, fields].concat()).await
    }
}

/// Returns the part of the page between `start` and `end`.
pub fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let rest = page.split_once(start);
    let rest = rest.unwrap_or_else(|| panic!("no {start} in {page}")).1;
    rest.split_once(end).unwrap().0
}
