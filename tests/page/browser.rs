//! Headless Chromium, driven through a pipe in the words of its DevTools protocol: no port, no driver, a profile of its own.
//!
//! Not here: what a page must be like.

use std::path::PathBuf;
use std::process::Stdio;

use base64::Engine as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// What a window is like.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub width: u32,
    pub height: u32,
    pub is_phone: bool,
}

pub const DESK: Size = Size { width: 1280, height: 800, is_phone: false };
pub const PHONE: Size = Size { width: 390, height: 844, is_phone: true };
pub const SMALL_PHONE: Size = Size { width: 320, height: 568, is_phone: true };

/// The names that it is installed under.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// It asks nobody for anything by itself.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--remote-debugging-pipe",
];

/// A browser with one page. Dropping it kills it.
pub struct Browser {
    _child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: Option<String>,
    last: u64,
    told: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    /// Starts one; none where there is none, which is a failure where everything must be tried.
    pub async fn start() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = std::env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
        let Some(program) = all.into_iter().find(|program| program.is_file()) else {
            assert!(std::env::var_os("CHAKRA_BRIDGE_CI").is_none(), "no Chromium, and everything must be tried");
            println!("skipped: there is no Chromium here");
            return None;
        };
        let mut browser = Self::begin(&program);
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach).await;
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"] {
            browser.call(&format!("{domain}.enable"), json!({})).await;
        }
        browser.sized(DESK).await;
        browser.night(false).await;
        Some(browser)
    }

    /// It reads what it is told at descriptor 3, and answers at 4.
    fn begin(program: &std::path::Path) -> Self {
        let profile = TempDir::new().expect("a temporary folder");
        let mut command = Command::new("sh");
        command.arg("-c").arg("exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null").arg(program).args(FLAGS);
        command.arg(format!("--user-data-dir={}", profile.path().display())).env("HOME", profile.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().expect("the browser begins");
        let (to, from) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let from = BufReader::new(from);
        Self { _child: child, to, from, session: None, last: 0, told: Vec::new(), _profile: profile }
    }

    /// Asks for something, and waits for the answer.
    pub async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.to.write_all(format!("{message}\0").as_bytes()).await.expect("it listens");
        loop {
            let mut bytes = Vec::new();
            self.from.read_until(0, &mut bytes).await.expect("it answers");
            assert_eq!(bytes.pop(), Some(0), "the browser ended");
            let mut said: Value = serde_json::from_slice(&bytes).expect("JSON");
            if said["id"] == self.last {
                assert!(said["error"].is_null(), "{method}: {}", said["error"]);
                return said["result"].take();
            }
            self.told.push(said);
        }
    }

    pub async fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url })).await;
        self.until("document.readyState === 'complete'").await;
    }

    /// Waits until this is so in the page.
    pub async fn until(&mut self, condition: &str) {
        let waits = format!(
            "new Promise((done) => {{ const look = () => (({condition}) ? done(true) : setTimeout(look, 100)); look(); }})"
        );
        self.value(&waits).await;
    }

    /// The value of an expression in the page.
    pub async fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", asked).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// The same, of a text.
    pub async fn text(&mut self, expression: &str) -> String {
        self.value(expression).await.as_str().unwrap_or_default().to_owned()
    }

    pub async fn press(&mut self, key: &str) {
        let code = if key == "Tab" { 9 } else { 13 };
        for kind in ["rawKeyDown", "char", "keyUp"] {
            let text = if kind == "char" && key == "Enter" { "\r" } else { "" };
            if kind == "char" && text.is_empty() {
                continue;
            }
            let event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }

    pub async fn sized(&mut self, Size { width, height, is_phone }: Size) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone, "screenWidth": width });
        self.call("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// Whether the page is to be dark.
    pub async fn night(&mut self, is_dark: bool) {
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// The whole page as a picture: `target/page/NAME.png`.
    pub async fn picture(&mut self, name: &str) {
        let layout = self.call("Page.getLayoutMetrics", json!({})).await;
        let (width, height) = (&layout["cssLayoutViewport"]["clientWidth"], &layout["cssContentSize"]["height"]);
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let asked = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
        let picture = self.call("Page.captureScreenshot", asked).await;
        let bytes = base64::engine::general_purpose::STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("page");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), bytes).unwrap();
    }

    /// The same in a window of this size.
    pub async fn picture_of(&mut self, size: Size, name: &str) {
        self.sized(size).await;
        self.picture(name).await;
        self.sized(DESK).await;
    }

    /// Whatever it complained of: exceptions, errors and warnings of the console, and breaches of the policy.
    pub fn complaints(&self) -> Vec<String> {
        let said = self.told.iter().filter(|told| match told["method"].as_str().unwrap_or_default() {
            "Runtime.exceptionThrown" => true,
            "Runtime.consoleAPICalled" => true,
            "Log.entryAdded" => told["params"]["entry"]["level"] != "verbose",
            _ => false,
        });
        said.map(|told| told["params"].to_string()).collect()
    }

    /// Forgets what it complained of so far.
    pub fn forgive(&mut self) {
        self.told.clear();
    }

    /// What it asked for, by URL.
    pub fn asked(&self) -> Vec<String> {
        let asked = self.told.iter().filter(|told| told["method"] == "Network.requestWillBeSent");
        asked.filter_map(|told| told["params"]["request"]["url"].as_str().map(str::to_owned)).collect()
    }
}
