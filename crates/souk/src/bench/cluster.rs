//! The same loads on a shop of many processes, beside `pgbench` on the same PostgreSQL and the
//! embedded default, all in one run: only the ratios mean something on another machine.

mod disturb;
mod grown;

use std::{path::Path, process::Stdio, time::Duration};

use scratch::{Nats, Postgres};
use tokio::process::Command;

use super::{Bench, child::Child, load, rate, stock};
use crate::failure::{Context as _, Failure, Result};

pub use grown::Grown;

/// PostgreSQL and NATS of the measurement.
pub struct Servers {
    postgres: Postgres,
    nats: Nats,
}

impl Servers {
    async fn start(folder: &Path) -> Result<Self> {
        let folder = folder.to_owned();
        let started = tokio::task::spawn_blocking(move || {
            let postgres = Postgres::start(&folder.join("postgres"), Default::default())?;
            let nats = Nats::start(&folder.join("nats"), Default::default())?;
            Ok::<_, scratch::Error>(Self { postgres, nats })
        });
        started.await?.context("the servers do not start")
    }

    /// Transactions per second of pgbench's TPC-B (scale 10, 8 clients, prepared statements).
    async fn pgbench(&self, seconds: u64) -> Result<f64> {
        let url = self.postgres.url("bench_tpcb");
        self.program(
            "createdb",
            &[
                "--maintenance-db",
                &self.postgres.url("postgres"),
                "bench_tpcb",
            ],
        )
        .await?;
        self.program("pgbench", &["-i", "-q", "-s", "10", &url])
            .await?;
        let seconds = seconds.to_string();
        let said = self
            .program(
                "pgbench",
                &[
                    "-n", "-M", "prepared", "-c", "8", "-j", "2", "-T", &seconds, &url,
                ],
            )
            .await?;
        let line = said.lines().find_map(|line| line.strip_prefix("tps = "));
        let figure = line.and_then(|rest| rest.split(' ').next()?.parse().ok());
        figure.ok_or_else(|| Failure::new(format!("pgbench said something else: {said}")))
    }

    async fn program(&self, name: &str, arguments: &[&str]) -> Result<String> {
        let path = scratch::postgres_program(name).context("PostgreSQL's programs")?;
        let done = Command::new(path)
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .await
            .with_context(|| format!("{name} does not start"))?;
        match done.status.success() {
            true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
            false => Err(Failure::new(format!(
                "{name}: {}",
                String::from_utf8_lossy(&done.stderr)
            ))),
        }
    }
}

/// Runs the measurements of the table in the documentation, top to bottom.
pub async fn run(
    bench: &Bench,
    folder: &Path,
    show: &mut (dyn FnMut(&str, String) + Send),
) -> Result<()> {
    let wants = |name: &str| bench.only.is_empty() || bench.only.iter().any(|only| only == name);
    let during = Duration::from_secs(bench.seconds);
    let servers = Servers::start(folder).await?;
    let mut shares = None;
    if wants("checkout") {
        let embedded = Child::start(&folder.join("embedded"), true).await?;
        stock(&embedded.client()?, "BENCH-1", 1_000_000_000).await?;
        let figures =
            load::checkouts(&embedded.address(), "BENCH-1", bench.clients, during).await?;
        show("embedded: checkouts placed and confirmed", rate(&figures));
        embedded.stop().await?;
        let tps = servers.pgbench(bench.seconds.min(15)).await?;
        show("pgbench TPC-B, same PostgreSQL", format!("{tps:.0} tps"));
        shares = Some((figures.per_second(), tps));
    }
    let shop = Grown::start(folder, &servers).await?;
    show(
        "processes: start to ready (with demo catalogue)",
        format!("{:.2} s", shop.ready_after.as_secs_f64()),
    );
    show(
        "processes: memory, idle: share (resident), MB",
        shop.memory(),
    );
    stock(&shop.client()?, "BENCH-1", 1_000_000_000).await?;
    if wants("checkout") {
        let mut first = None;
        for &instances in &bench.instances {
            shop.scale_all(instances).await?;
            let before = shop.cpu();
            let figures =
                load::checkouts(&shop.address(), "BENCH-1", bench.clients, during).await?;
            let spent = shop.cpu() - before;
            let each = |used: Duration| used.as_secs_f64() * 1_000.0 / figures.done.max(1) as f64;
            show(
                &format!("{instances} instance(s) each: checkouts confirmed"),
                rate(&figures),
            );
            let (souk, all) = (each(spent.souk), each(spent.all()));
            let grown = souk / *first.get_or_insert(souk);
            show(
                "  CPU per confirmed order",
                format!(
                    "{souk:.2} ms of souk ({grown:.2} x one instance), {all:.2} ms with the servers"
                ),
            );
            if let Some((embedded, tps)) = shares.filter(|_| instances == 1) {
                let rate = figures.per_second();
                show("  against pgbench", format!("{:.2} x", rate / tps));
                show(
                    "  against the embedded default",
                    format!("{:.2} x", rate / embedded),
                );
            }
        }
        shop.scale_all(1).await?;
    }
    if wants("hot-item") {
        shop.scale("inventory", 3).await?;
        stock(&shop.client()?, "HOT-1", 1_000).await?;
        let (figures, confirmed, sold_out) =
            load::hot_item(&shop.address(), "HOT-1", 5_000, bench.clients * 4).await?;
        show(
            "hot item, 3 inventory instances: 5,000 buyers, 1,000 units",
            format!(
                "{confirmed} confirmed, {sold_out} sold out, {}",
                rate(&figures)
            ),
        );
        shop.scale("inventory", 1).await?;
    }
    if wants("disturb") {
        shop.scale_all(2).await?;
        disturb::takeover(&shop, show).await?;
        disturb::rolling(&shop, show).await?;
        disturb::killing(&shop, Duration::from_secs(120.min(bench.seconds * 4)), show).await?;
    }
    shop.stop().await
}
