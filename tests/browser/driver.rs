//! Chromium and chromedriver. A [`Window`] is a separate browser with an empty profile: one person. Every wait has a
//! deadline; conditions are polled inside the page.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::support::{DEADLINE, PASSWORD, TestServer, within};

/// Interval at which a page polls its own state, in milliseconds.
const GLANCE: u32 = 20;

/// Browsers are large: only so many tests have theirs open at once.
static ROOM: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// How often chromedriver is started before a test gives up.
const STARTS: usize = 5;

/// A running chromedriver; its windows close with it.
pub struct Browser {
    process: Child,
    address: String,
    _room: SemaphorePermit<'static>,
}

impl Browser {
    /// Starts it; `None` where there is none and nobody insists.
    pub async fn start() -> Option<Self> {
        let missing = ["/usr/bin/chromium", "/usr/bin/chromedriver"]
            .into_iter()
            .find(|path| !Path::new(path).exists());
        if let Some(path) = missing {
            assert!(std::env::var_os("CI").is_none(), "{path} is missing");
            eprintln!("skipped, there is no {path}");
            return None;
        }
        let room = ROOM.acquire().await.unwrap();
        let mut started = None;
        for _ in 0..STARTS {
            started = driver().await;
            if started.is_some() {
                break;
            }
        }
        let (process, port) = started.expect("chromedriver starts");
        Some(Self {
            process,
            address: format!("http://127.0.0.1:{port}"),
            _room: room,
        })
    }

    /// Opens a desktop window for the server's address.
    pub async fn window(&self, server: &TestServer) -> Window {
        self.window_at(&format!("http://{}", server.address)).await
    }

    /// Opens a desktop window for another URL of the server.
    pub async fn window_at(&self, base: &str) -> Window {
        let options = json!({
            "binary": "/usr/bin/chromium",
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", "--window-size=1280,800", "--lang=en-US",
                "--host-resolver-rules=MAP chat.lan 127.0.0.1, MAP evil.example 127.0.0.1",
            ],
        });
        let capabilities = json!({
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": DEADLINE.as_millis() as u64 },
        });
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&self.address)
            .await
            .unwrap();
        Window {
            client,
            base: base.to_owned(),
        }
    }

    /// Opens a window and registers an account.
    pub async fn person(&self, server: &TestServer, name: &str) -> Window {
        let window = self.window(server).await;
        window.register(name).await;
        window
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // With its group: the browsers would live on without it.
        let _ = kill_process_group(Pid::from_child(&self.process), Signal::KILL);
        let _ = self.process.wait();
    }
}

/// Starts chromedriver on a port that it chooses; `None` if it ends before it listens, as when another process takes
/// that port meanwhile.
async fn driver() -> Option<(Child, u16)> {
    let mut process = Command::new("/usr/bin/chromedriver")
        .arg("--port=0")
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    let port = tokio::task::spawn_blocking(move || port_of(output));
    let port = within("chromedriver's start", port).await.unwrap();
    if port.is_none() {
        let _ = process.wait();
    }
    Some((process, port?))
}

/// Reads on to the line that names the port, and then to the end, so that chromedriver can go on writing. `None` if
/// the output ends before.
fn port_of(mut output: impl BufRead + Send + 'static) -> Option<u16> {
    let mut said = String::new();
    loop {
        let before = said.len();
        if output.read_line(&mut said).unwrap() == 0 {
            eprintln!("chromedriver ended: {said}");
            return None;
        }
        let line = &said[before..];
        let port = line.trim_end().trim_end_matches('.').rsplit(' ').next();
        if let (true, Some(Ok(port))) =
            (line.contains("successfully on port"), port.map(str::parse))
        {
            std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
            return Some(port);
        }
    }
}

/// One person's browser.
pub struct Window {
    pub client: Client,
    base: String,
}

impl Window {
    /// Opens a path of the server.
    pub async fn open(&self, path: &str) {
        let url = format!("{}{path}", self.base);
        self.client.goto(&url).await.unwrap();
    }

    /// Registers and waits for the list of rooms.
    pub async fn register(&self, name: &str) {
        self.open("/auth/register").await;
        self.fill_account(name).await;
    }

    /// Fills in and submits the registration form, then waits for the list of rooms.
    pub async fn fill_account(&self, name: &str) {
        self.fill("#username", name).await;
        self.fill("#password", PASSWORD).await;
        self.click("button.main").await;
        self.until("location.pathname === '/conversations'").await;
    }

    /// Opens a room from the list and waits until it is live.
    pub async fn enter(&self, room: &str) {
        let link = format!("//ul[@id='rooms']//li[.//*[text()={room:?}]]//a");
        self.client
            .wait()
            .at_most(DEADLINE)
            .for_element(Locator::XPath(&link))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
        self.until("document.querySelector('#log')").await;
        self.live().await;
    }

    /// Joins a public room and waits until it is live.
    pub async fn join(&self, room: &str) {
        self.open("/rooms").await;
        self.click(&format!("[aria-label='Join: {room}']")).await;
        self.until("location.pathname.startsWith('/chat/')").await;
        self.live().await;
    }

    /// Returns the user id of the logged-in account.
    pub async fn my_id(&self) -> Value {
        let script = "return JSON.parse(document.querySelector('[name=page]').content).me.id";
        self.eval(script).await
    }

    /// Waits until the page's WebSocket is open and the room is subscribed.
    pub async fn live(&self) {
        self.until("document.documentElement.dataset.wire === 'online'")
            .await;
        let in_room =
            "!document.querySelector('#log') || document.querySelector('#log').dataset.live";
        self.until(in_room).await;
    }

    /// Sends a message and waits until it is stored and shown.
    pub async fn say(&self, text: &str) {
        self.write(text).await;
        self.until("!document.querySelector('#pending').children.length")
            .await;
        self.see(text).await;
    }

    /// Sends a message without waiting for the result.
    pub async fn write(&self, text: &str) {
        self.fill("#content", text).await;
        self.keys("#content", "\u{E007}").await;
    }

    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.find(css).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    pub async fn keys(&self, css: &str, keys: &str) {
        self.find(css).await.send_keys(keys).await.unwrap();
    }

    pub async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    pub async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    pub async fn path(&self) -> String {
        self.client.current_url().await.unwrap().path().to_owned()
    }

    async fn find(&self, css: &str) -> fantoccini::elements::Element {
        let wait = self.client.wait().at_most(DEADLINE);
        wait.for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"))
    }

    /// Waits for an element, without using scripts in the page.
    pub async fn shows(&self, css: &str) {
        self.find(css).await;
    }

    /// Waits until the text is visible.
    pub async fn see(&self, text: &str) {
        self.until(&format!(
            "document.body.innerText.includes({})",
            json!(text)
        ))
        .await;
    }

    /// Waits until the text is no longer visible.
    pub async fn miss(&self, text: &str) {
        self.until(&format!(
            "!document.body.innerText.includes({})",
            json!(text)
        ))
        .await;
    }

    /// Waits until an element has exactly that text.
    pub async fn reads(&self, css: &str, text: &str) {
        self.until(&format!(
            "document.querySelector({})?.textContent.trim() === {}",
            json!(css),
            json!(text)
        ))
        .await;
    }

    /// Waits until a JavaScript expression is true, also across navigations.
    pub async fn until(&self, truth: &str) {
        let script = format!(
            "const done = arguments[0];
             const look = () => {{
               let truth = false;
               try {{ truth = Boolean({truth}); }} catch {{ /* not yet */ }}
               if (truth) done(true); else setTimeout(look, {GLANCE});
             }};
             look();"
        );
        let end = Instant::now() + DEADLINE;
        // A navigation aborts the script; then it is run again.
        while Instant::now() < end {
            if let Ok(Value::Bool(true)) = self.client.execute_async(&script, vec![]).await {
                return;
            }
        }
        let page = self
            .eval("return location.href + '\\n' + document.body.innerText")
            .await;
        panic!("never: {truth}\n{}", page.as_str().unwrap_or_default());
    }

    /// Waits until the page's service worker controls it. A worker that starts during a page load does not control that
    /// page, so the page is reloaded.
    pub async fn installed(&self) {
        let ready = "navigator.serviceWorker.ready.then(() => arguments[0](true))";
        self.client.execute_async(ready, vec![]).await.unwrap();
        self.reload().await;
        self.until("navigator.serviceWorker.controller").await;
        self.live().await;
    }

    /// Runs a script and returns its result.
    pub async fn eval(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Returns the visible texts of the room's messages.
    pub async fn messages(&self) -> Vec<String> {
        let script = "return [...document.querySelectorAll('#messages .text')].map((text) => text.innerText)";
        serde_json::from_value(self.eval(script).await).unwrap()
    }

    /// Returns the entries of the browser's console since the last call.
    pub async fn console(&self) -> Value {
        let command = Own("se/log", json!({ "type": "browser" }));
        self.client.issue_cmd(command).await.unwrap()
    }

    /// Asserts that the console has no errors or warnings, such as script errors and violations of the CSP.
    pub async fn assert_quiet(&self) {
        let log = self.console().await;
        let complaints: Vec<_> = log
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["level"] != "INFO" && entry["level"] != "DEBUG")
            .collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    /// Switches the browser's network off or on.
    pub async fn offline(&self, offline: bool) {
        let conditions = json!({ "offline": offline, "latency": 0, "download_throughput": -1, "upload_throughput": -1 });
        let body = json!({ "network_conditions": conditions });
        let command = Own("chromium/network_conditions", body);
        self.client.issue_cmd(command).await.unwrap();
    }

    /// Runs a command of the DevTools protocol.
    pub async fn devtools(&self, command: &str, params: Value) -> Value {
        let body = json!({ "cmd": command, "params": params });
        let command = Own("goog/cdp/execute", body);
        self.client.issue_cmd(command).await.unwrap()
    }
}

/// A command specific to chromedriver: path and body.
#[derive(Debug)]
struct Own(&'static str, Value);

impl WebDriverCompatibleCommand for Own {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.0
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (hyper::Method, Option<String>) {
        (hyper::Method::POST, Some(self.1.to_string()))
    }
}
