//! `souk ps`, `souk scale`, `souk restart`, `souk down`: said to a running `souk up --processes`
//! through the socket in its data directory.

use std::path::Path;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::net::UnixStream;

use super::control::{Line, Restart, Row, SOCKET, Scale};
use crate::{
    cli::Shown,
    failure::{Context as _, Failure, Result},
};

type Answer = http::Response<hyper::body::Incoming>;

/// `souk ps`
pub async fn ps(data: &Path, what: &Shown) -> Result<()> {
    let answer = ask(data, "GET", "/processes", &()).await?;
    let body = answer.into_body().collect().await.context("no answer")?;
    let mut rows: Vec<Row> = serde_json::from_slice(&body.to_bytes())?;
    if let Some(wanted) = &what.service {
        rows.retain(|row| row.service == *wanted || row.slot == *wanted);
        if rows.is_empty() {
            return Err(Failure::new(format!(
                "there is no service or process `{wanted}`"
            )));
        }
    }
    match what {
        _ if what.json => println!("{}", serde_json::to_string_pretty(&rows)?),
        _ if what.pids => {
            let pids = rows.iter().filter_map(|row| row.pid);
            pids.for_each(|pid| println!("{pid}"));
        }
        _ => print!("{}", table(&rows)),
    }
    Ok(())
}

/// `souk scale orders=3`
pub async fn scale(data: &Path, wanted: Vec<(String, usize)>) -> Result<()> {
    for (service, count) in wanted {
        let answer = ask(data, "POST", "/scale", &Scale { service, count }).await?;
        follow(answer).await?;
    }
    Ok(())
}

/// `souk restart orders`
pub async fn restart(data: &Path, services: Vec<String>) -> Result<()> {
    let mut asked: Vec<Option<String>> = services.into_iter().map(Some).collect();
    if asked.is_empty() {
        asked.push(None);
    }
    for service in asked {
        let answer = ask(data, "POST", "/restart", &Restart { service }).await?;
        follow(answer).await?;
    }
    Ok(())
}

/// `souk down`
pub async fn down(data: &Path) -> Result<()> {
    let answer = ask(data, "POST", "/down", &()).await?;
    follow(answer).await
}

async fn ask(data: &Path, method: &str, path: &str, body: &impl Serialize) -> Result<Answer> {
    let socket = data.join(SOCKET);
    let stream = UnixStream::connect(&socket).await.map_err(|error| {
        Failure::new(format!(
            "no shop in many processes runs on {} ({error}); start one with `souk up --processes`, \
             or name its data directory with --data",
            data.display()
        ))
    })?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .context("the supervisor does not answer")?;
    tokio::spawn(connection);
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("host", "souk")
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(serde_json::to_vec(body)?)))
        .context("the request")?;
    let answer = sender
        .send_request(request)
        .await
        .context("the supervisor does not answer")?;
    match answer.status() {
        status if status.is_success() => Ok(answer),
        status => Err(Failure::new(format!("the supervisor answers {status}"))),
    }
}

/// Prints what is said until the end.
async fn follow(answer: Answer) -> Result<()> {
    let mut body = answer.into_body();
    let mut unread = Vec::new();
    loop {
        let frame = body.frame().await.ok_or_else(lost)?;
        let frame = frame.map_err(|_| lost())?;
        unread.extend_from_slice(&frame.into_data().unwrap_or_default());
        while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = unread.drain(..=end).collect();
            match serde_json::from_slice(&line)? {
                Line::Say(text) => println!("{text}"),
                Line::Failed(text) => return Err(Failure::new(text)),
                Line::Done => return Ok(()),
            }
        }
    }
}

fn lost() -> Failure {
    Failure::new("the supervisor ended before it was done")
}

/// Columns as wide as they must be.
fn table(rows: &[Row]) -> String {
    let head = [
        "SERVICE", "PROCESS", "PID", "STATE", "RESTARTS", "CPU %", "MEMORY", "WAITING", "LAG",
        "ADDRESS",
    ];
    let mut lines = vec![head.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let widths = lines.iter().map(|line| line[column].chars().count());
            widths.max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let cells = line.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
        let reason = number
            .checked_sub(1)
            .and_then(|row| rows[row].reason.as_ref());
        if let Some(reason) = reason.filter(|_| line[3] != "ready") {
            text += &format!("    {reason}\n");
        }
    }
    text
}

fn cells(row: &Row) -> [String; 10] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        row.service.clone(),
        row.slot.clone(),
        or_dash(row.pid.map(|pid| pid.to_string())),
        row.state.clone(),
        row.restarts.to_string(),
        or_dash(row.cpu.map(|cpu| format!("{cpu:.1}"))),
        or_dash(
            row.memory
                .map(|bytes| format!("{:.1} MB", bytes as f64 / 1e6)),
        ),
        or_dash(row.queue.map(|queue| format!("{queue:.0}"))),
        or_dash(row.lag.map(|lag| format!("{lag:.0}"))),
        or_dash(row.address.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_a_dash() {
        let row = Row {
            service: "orders".into(),
            slot: "orders-1".into(),
            pid: None,
            address: None,
            state: "failing".into(),
            restarts: 7,
            cpu: None,
            memory: Some(20_500_000),
            queue: None,
            lag: None,
            reason: Some("ended with exit status: 1".into()),
        };
        let text = table(&[row]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("SERVICE  PROCESS   PID  STATE"),
            "{text}"
        );
        let expected = "orders   orders-1  -    failing  7         -      20.5 MB  -        -    -";
        assert_eq!(lines[1], expected);
        assert_eq!(lines[2], "    ended with exit status: 1");
    }
}
