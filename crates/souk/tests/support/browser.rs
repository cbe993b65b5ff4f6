//! A real browser, driven by its DevTools protocol over a pipe: Chromium without a window.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{PATIENCE, POLL};

const CHROMIUM: &str = "/usr/bin/chromium";

/// One page of a browser of its own.
pub struct Browser {
    child: Child,
    pipe: ChildStdin,
    messages: mpsc::Receiver<Value>,
    session: Option<String>,
    asked: u64,
    /// What went wrong in the page: uncaught errors, and what its security policy forbade.
    pub complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts it on an empty page.
    pub fn start() -> Self {
        assert!(
            std::path::Path::new(CHROMIUM).exists(),
            "this test needs a browser: `apt-get install chromium` (`cargo xtask test` does it)"
        );
        let profile = tempfile::tempdir().unwrap();
        // The protocol is spoken on file descriptors 3 and 4; the shell puts our pipes there.
        let script = format!(
            "exec {CHROMIUM} --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run \
             --disable-background-networking --remote-debugging-pipe --user-data-dir='{}' about:blank \
             3<&0 4>&1 </dev/null >/dev/null 2>&1",
            profile.path().display()
        );
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (pipe, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || {
            for message in BufReader::new(output).split(0).map_while(Result::ok) {
                let _ = sender.send(serde_json::from_slice(&message).unwrap_or_default());
            }
        });
        let mut browser = Self {
            child,
            pipe,
            messages,
            session: None,
            asked: 0,
            complaints: Vec::new(),
            _profile: profile,
        };
        let target = browser
            .call("Target.createTarget", json!({"url": "about:blank"}))
            .unwrap();
        let attached = json!({"targetId": target["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", attached).unwrap();
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.call(domain, json!({})).unwrap();
        }
        browser
    }

    /// Asks the browser for something and waits for its answer.
    fn call(&mut self, method: &str, params: Value) -> Result<Value, String> {
        self.asked += 1;
        let mut message = json!({"id": self.asked, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.pipe.write_all(&bytes).expect("the browser is gone");
        loop {
            let answer = self
                .messages
                .recv_timeout(PATIENCE)
                .expect("the browser does not answer");
            if answer["id"] == self.asked {
                return match answer.get("error") {
                    Some(error) => Err(error.to_string()),
                    None => Ok(answer["result"].clone()),
                };
            }
            self.hear(&answer);
        }
    }

    fn hear(&mut self, event: &Value) {
        let text = event["params"].to_string();
        match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => self.complaints.push(text),
            Some("Log.entryAdded") if text.contains("Content Security Policy") => {
                self.complaints.push(text)
            }
            _ => {}
        }
    }

    /// Goes to an address.
    pub fn go(&mut self, url: &str) {
        self.call("Page.navigate", json!({ "url": url })).unwrap();
    }

    /// What an expression gives in the page; `Err` while a page is being left.
    pub fn look(&mut self, expression: &str) -> Result<Value, String> {
        let ask = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", ask)?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(details["exception"]["description"].to_string()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// Waits until an expression is true in the page.
    pub fn until(&mut self, expression: &str) {
        let started = Instant::now();
        loop {
            let last = self.look(expression);
            if last == Ok(Value::Bool(true)) {
                return;
            }
            if started.elapsed() > PATIENCE.min(Duration::from_secs(60)) {
                let page = self.look("location.href + '\\n' + document.body.innerText");
                panic!(
                    "never true: {expression} ({last:?})\n{}",
                    page.unwrap_or_default().as_str().unwrap_or_default()
                );
            }
            std::thread::sleep(POLL);
        }
    }

    /// Waits for an element and clicks it.
    pub fn click(&mut self, selector: &str) {
        self.until(&format!(
            "document.readyState === 'complete' && document.querySelector({selector:?}) !== null"
        ));
        // A click may leave the page before it answers.
        let _ = self.look(&format!("document.querySelector({selector:?}).click()"));
    }

    /// Enters a value as a person would: the page hears of it.
    pub fn fill(&mut self, selector: &str, value: &str) {
        self.until(&format!(
            "document.readyState === 'complete' && document.querySelector({selector:?}) !== null"
        ));
        let script = format!(
            "(() => {{ const e = document.querySelector({selector:?}); e.value = {value:?}; \
             for (const name of ['input', 'change']) e.dispatchEvent(new Event(name, {{bubbles: true}})); return e.value; }})()"
        );
        assert_eq!(
            self.look(&script).unwrap(),
            value,
            "{selector} does not take {value}"
        );
    }

    /// The text of an element.
    pub fn text(&mut self, selector: &str) -> String {
        self.until(&format!("document.querySelector({selector:?}) !== null"));
        let text = self
            .look(&format!("document.querySelector({selector:?}).innerText"))
            .unwrap();
        text.as_str().unwrap_or_default().to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
