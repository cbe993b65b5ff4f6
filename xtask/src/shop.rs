//! A shop that is started for a check and gone afterwards.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::workspace::{Outcome, Workspace, succeed};

/// A running shop. It is killed when this is dropped, however the check ends.
pub struct Shop {
    process: Child,
    /// Where it is reached, without a slash at the end.
    pub url: String,
    /// The administrator's one-time password.
    pub password: String,
    /// The folder of its binary.
    pub folder: PathBuf,
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Shop {
    /// Builds the workspace's binary into `target` and starts it on a free port; it keeps nothing.
    pub fn start(workspace: &Workspace, target: &Path) -> Outcome<Self> {
        let mut build = workspace.cargo("build --quiet --package souk");
        succeed(build.env("CARGO_TARGET_DIR", target))?;
        let folder = target.join("debug");
        let mut process = Command::new(folder.join("souk"))
            .args(["up", "--ephemeral", "--listen", "127.0.0.1:0"])
            .current_dir(&workspace.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take();
        let mut shop = Self {
            process,
            url: String::new(),
            password: String::new(),
            folder,
        };
        let mut lines = BufReader::new(output.ok_or("the shop has no output")?).lines();
        while shop.url.is_empty() || shop.password.is_empty() {
            let line = lines.next().ok_or("the shop ended before it was ready")??;
            if shop.url.is_empty() {
                shop.url = address(&line).unwrap_or_default();
            }
            shop.password = one_time_password(&line).unwrap_or(shop.password.clone());
        }
        // What else it prints must go somewhere, or it would wait for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(shop)
    }

    /// The status and body of `GET path`, asked by nobody in particular.
    pub fn get(&self, path: &str) -> Outcome<(u16, String)> {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        Ok((status.ok_or("no HTTP answer")?, body.to_owned()))
    }
}

/// The first address in a line of its greeting.
fn address(line: &str) -> Option<String> {
    let from = line.find("http://")?;
    let rest = &line[from..];
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches('/').to_owned())
}

/// The administrator's password in a line of its greeting: `admin@…  /  password`.
fn one_time_password(line: &str) -> Option<String> {
    let (who, password) = line.split_once(" / ")?;
    who.contains('@').then(|| password.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_says_where_the_shop_is_and_how_to_get_in() {
        let greeting = "  Shop          http://127.0.0.1:4711/";
        assert_eq!(address(greeting).as_deref(), Some("http://127.0.0.1:4711"));
        assert_eq!(address("Souk is open after 0.2 s."), None);
        let account = "  admin@souk.local  /  quiet-brass-lantern";
        assert_eq!(
            one_time_password(account).as_deref(),
            Some("quiet-brass-lantern")
        );
        assert_eq!(one_time_password("First start: a one-time password"), None);
    }
}
