//! How fast the write path is: commands per second for few and many callers, and how long a
//! movement takes to be noted by the next service. Run with `cargo bench -p runtime`; each line
//! names callers, commands per second, CPU per command (client included) and what a caller waits.

#[path = "../tests/it/toys.rs"]
mod toys;

use std::{
    io::Write as _,
    sync::Arc,
    time::{Duration, Instant},
};

use kernel::{App, Broadcast, Context, From, sql};
use runtime::{RandomIds, Runtime, RuntimeConfig, SystemClock};
use tokio::sync::watch;

// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long each measurement lasts.
const SPAN: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    // `cargo bench -p runtime -- 512` measures that number of callers only.
    let asked: Vec<usize> = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let wanted = |callers: &usize| asked.is_empty() || asked.contains(callers);
    for callers in [1, 64, 512].into_iter().filter(wanted) {
        commands(callers).await;
    }
    for callers in [1, 64, 512].into_iter().filter(wanted) {
        queries(callers).await;
    }
    for callers in [1, 64, 512].into_iter().filter(wanted) {
        hops(callers).await;
    }
}

fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

async fn start(folder: &std::path::Path, modules: Vec<kernel::Module>) -> Runtime {
    let config = RuntimeConfig::embedded(folder, Arc::new(SystemClock), Arc::new(RandomIds))
        .expect("a key ring");
    Runtime::start(config, modules).await.expect("starts")
}

/// What a number of callers measured.
struct Load {
    waits: Vec<Duration>,
    wall: Duration,
    cpu: Duration,
}

/// `callers` tasks, each paying into its own account one payment after the other.
async fn load(app: &App, callers: usize) -> Load {
    repeat(app, callers, |app, id, memo| async move {
        let paid = app
            .execute(&Context::default(), toys::noted(&id, 1, &memo))
            .await;
        paid.expect("committed");
    })
    .await
}

/// `callers` tasks, each doing `work` again and again.
async fn repeat<F: Future<Output = ()> + Send>(
    app: &App,
    callers: usize,
    work: impl Fn(App, Arc<str>, Arc<str>) -> F + Copy + Send + 'static,
) -> Load {
    let (begin, cpu) = (Instant::now(), cpu_time());
    let calls = (0..callers).map(|n| {
        let (app, id): (App, Arc<str>) = (app.clone(), format!("{n:08}").into());
        let memo: Arc<str> = "x".repeat(300).into();
        tokio::spawn(async move {
            let mut waits = Vec::new();
            while begin.elapsed() < SPAN {
                let started = Instant::now();
                work(app.clone(), id.clone(), memo.clone()).await;
                waits.push(started.elapsed());
            }
            waits
        })
    });
    let mut waits = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        waits.append(&mut call.await.expect("a caller"));
    }
    waits.sort_unstable();
    Load {
        waits,
        wall: begin.elapsed(),
        cpu: cpu_time().saturating_sub(cpu),
    }
}

impl Load {
    fn report(&self, what: &str) {
        let count = self.waits.len();
        let at = |share: f64| self.waits[((count - 1) as f64 * share) as usize];
        say(format_args!(
            "{what}: {:.0}/s, {:.1} µs CPU each, waits p50 {:.2} ms p99 {:.2} ms",
            count as f64 / self.wall.as_secs_f64(),
            self.cpu.as_micros() as f64 / count as f64,
            at(0.5).as_micros() as f64 / 1_000.0,
            at(0.99).as_micros() as f64 / 1_000.0,
        ));
    }
}

async fn commands(callers: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![toys::narrow_bank()]).await;
    let app = shop.app("bank").expect("the bank");
    load(&app, callers)
        .await
        .report(&format!("{callers} callers, one service"));
    shop.shutdown().await;
}

/// Reads of one row by its key.
async fn queries(callers: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![toys::narrow_bank()]).await;
    let app = shop.app("bank").expect("the bank");
    for n in 0..callers {
        let paid = app
            .execute(&Context::default(), toys::deposit(&format!("{n:08}"), 1))
            .await;
        paid.expect("committed");
    }
    let read = repeat(&app, callers, |app, id, _| async move {
        let row = sql!("SELECT balance FROM balances WHERE id = $1", &id);
        assert_eq!(app.query(row).await.expect("a row").len(), 1);
    });
    read.await
        .report(&format!("{callers} readers, one row each"));
    shop.shutdown().await;
}

/// Payments that the audit hears of, notes in its own store and shows to a feed.
async fn hops(callers: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut audit = toys::audit(&toys::Trouble::default());
    audit
        .projections
        .retain(|projection| projection.name == "totals");
    let (heard, mut count) = watch::channel(0usize);
    let feed = Broadcast::new("heard", &["audit"], From::Now, move |_| {
        heard.send_modify(|n| *n += 1)
    });
    let shop = start(
        folder.path(),
        vec![toys::narrow_bank(), audit.broadcast(feed)],
    )
    .await;
    let app = shop.app("bank").expect("the bank");
    if callers == 1 {
        let mut waits = Vec::new();
        let (begin, cpu) = (Instant::now(), cpu_time());
        while begin.elapsed() < SPAN {
            let (started, before) = (Instant::now(), *count.borrow());
            app.execute(&Context::default(), toys::deposit("a", 1))
                .await
                .expect("committed");
            count
                .wait_for(|n| *n > before)
                .await
                .expect("the feed lives");
            waits.push(started.elapsed());
        }
        waits.sort_unstable();
        let (wall, cpu) = (begin.elapsed(), cpu_time().saturating_sub(cpu));
        Load { waits, wall, cpu }.report("one chain at a time, through two services");
    } else {
        let (begin, cpu) = (Instant::now(), cpu_time());
        let done = load(&app, callers).await.waits.len();
        count
            .wait_for(|n| *n >= done)
            .await
            .expect("the feed lives");
        let (wall, cpu) = (begin.elapsed(), cpu_time().saturating_sub(cpu));
        say(format_args!(
            "{callers} callers, chains through two services: {:.0}/s, {:.1} µs CPU each",
            done as f64 / wall.as_secs_f64(),
            cpu.as_micros() as f64 / done as f64,
        ));
    }
    let sum = sql!("SELECT coalesce(sum(total), 0) FROM totals");
    let rows = shop
        .app("audit")
        .expect("the audit")
        .query(sum)
        .await
        .expect("a sum");
    assert_eq!(
        rows[0].get::<i64>(0),
        *count.borrow() as i64,
        "the audit lost or doubled something"
    );
    shop.shutdown().await;
}

/// CPU time of this process so far, in ticks of 10 ms.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}
