//! The broker's permissions, tried out: a real server with the real configuration, and every user's
//! attempts to publish under every name.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{
    generate::{GATEWAY, Graph, services},
    tools::found,
};
use crate::workspace::{Outcome, output};

const PATIENCE: Duration = Duration::from_secs(20);

/// Whoever publishes what is not theirs is refused, and everyone can do their work.
pub fn check(conf: &str, graph: &Graph, scratch: &Path) -> Outcome {
    let port = free_port()?;
    let monitor = free_port()?;
    let conf = conf
        .replace("\nport: 4222", &format!("\nhost: 127.0.0.1\nport: {port}"))
        .replace(
            "\nhttp_port: 8222",
            &format!("\nhttp: \"127.0.0.1:{monitor}\""),
        )
        .replace(
            "\"/data\"",
            &format!("\"{}\"", scratch.join("nats").display()),
        );
    let file = scratch.join("nats.conf");
    fs::write(&file, &conf)?;
    let program = found("nats-server").ok_or("nats-server is missing")?;
    let mut judge = Command::new(&program);
    passwords(&mut judge, graph).arg("-t").arg("-c").arg(&file);
    output(judge.stdout(Stdio::null()))?;

    let mut start = Command::new(&program);
    passwords(&mut start, graph).arg("-c").arg(&file);
    let log = fs::File::create(scratch.join("nats.log"))?;
    let server = start.stdout(Stdio::null()).stderr(log).spawn()?;
    let _server = Server(server);
    reachable(port)?;
    for name in services(graph) {
        for other in services(graph) {
            let mine = name == other;
            let one = "7.orders.order.placed.v1";
            expect(port, name, &format!("souk.{other}.{one}"), mine)?;
            expect(port, name, &format!("souk.heads.{other}"), mine)?;
            expect(
                port,
                name,
                &format!("$JS.API.STREAM.CREATE.souk_{other}"),
                mine,
            )?;
            // Nobody deletes history, not even their own.
            expect(
                port,
                name,
                &format!("$JS.API.STREAM.DELETE.souk_{other}"),
                false,
            )?;
            expect(
                port,
                name,
                &format!("$JS.API.STREAM.PURGE.souk_{other}"),
                false,
            )?;
            expect(
                port,
                name,
                &format!("$JS.API.STREAM.MSG.DELETE.souk_{other}"),
                false,
            )?;
            expect(
                port,
                name,
                &format!("$JS.API.STREAM.INFO.souk_{other}"),
                true,
            )?;
            expect(
                port,
                name,
                &format!("$JS.API.CONSUMER.CREATE.souk_{other}.x.souk.>"),
                true,
            )?;
            expect(
                port,
                name,
                &format!("$JS.API.CONSUMER.MSG.NEXT.souk_{other}.x"),
                true,
            )?;
            expect(port, GATEWAY, &format!("souk.{other}.{one}"), false)?;
            expect(
                port,
                GATEWAY,
                &format!("$JS.API.STREAM.MSG.GET.souk_{other}"),
                true,
            )?;
            expect(port, "outside", &format!("souk.{other}.{one}"), false)?;
            expect(port, "outside", &format!("souk.inbound.{other}"), true)?;
        }
    }
    Ok(())
}

/// Each user's password is its name: the server is reachable from here alone, and only for a moment.
fn passwords<'a>(command: &'a mut Command, graph: &Graph) -> &'a mut Command {
    command.env("NATS_SERVER_NAME", "deploy-check");
    for user in services(graph).chain([GATEWAY, "outside"]) {
        let variable = format!("SOUK_{}_BROKER_PASSWORD", user.to_uppercase());
        command.env(variable, user);
    }
    command
}

/// Publishes as `user`, and says how the server must take it.
fn expect(port: u16, user: &str, subject: &str, allowed: bool) -> Outcome {
    let said = publish(port, user, subject)?;
    let refused = said
        .iter()
        .find(|line| line.contains("Permissions Violation"));
    match (allowed, refused) {
        (true, None) | (false, Some(_)) => Ok(()),
        (true, Some(line)) => Err(format!("{user} must be allowed {subject}: {line}").into()),
        (false, None) => Err(format!("{user} may publish {subject}").into()),
    }
}

/// What the server says to a message (protocol of NATS clients, docs.nats.io).
fn publish(port: u16, user: &str, subject: &str) -> Outcome<Vec<String>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "CONNECT {{\"verbose\":false,\"pedantic\":false,\"user\":\"{user}\",\"pass\":\"{user}\"}}\r\n\
         PUB {subject} 2\r\n{{}}\r\nPING\r\n"
    )?;
    let mut said = Vec::new();
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if line == "PONG" {
            return Ok(said);
        }
        said.push(line);
    }
    Err(format!("the server closed the connection of {user}: {said:?}").into())
}

fn reachable(port: u16) -> Outcome {
    let started = Instant::now();
    while publish(port, "outside", "souk.inbound.start").is_err() {
        if started.elapsed() > PATIENCE {
            return Err("nats-server does not answer with this configuration".into());
        }
        std::thread::yield_now();
    }
    Ok(())
}

fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A server that ends with its owner.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
