//! What shoppers notice while processes are restarted and killed.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{Grown, grown::until};
use crate::{
    bench::{
        load,
        shoppers::{self, Watch},
    },
    failure::{Context as _, Failure, Result},
};

/// Shoppers at work during a disturbance.
const SHOPPERS: usize = 16;
type Show<'a> = &'a mut (dyn FnMut(&str, String) + Send);

/// Kills an instance of orders and measures how long orders of all partitions wait for another.
pub async fn takeover(shop: &Grown, show: Show<'_>) -> Result<()> {
    let victim = *instances(shop)
        .get("orders")
        .and_then(|ids| ids.first())
        .ok_or_else(|| Failure::new("no instance of orders"))?;
    kill(victim)?;
    let since = Instant::now();
    // So many that every partition has some.
    let figures = load::checkouts_each(&shop.address(), "BENCH-1", 64).await?;
    let waited = since.elapsed();
    show(
        "kill of a lease holder: until 64 orders over all partitions are confirmed",
        format!("{:.2} s ({} failed)", waited.as_secs_f64(), figures.failed),
    );
    settled(shop).await
}

/// A rolling restart of everything under load.
pub async fn rolling(shop: &Grown, show: Show<'_>) -> Result<()> {
    let watch = begin(shop);
    shop.command(&["restart"]).await?;
    let seen = watch.end().await?;
    show("rolling restart of everything", seen);
    settled(shop).await
}

/// Kills one instance of each service in turn, every five seconds.
pub async fn killing(shop: &Grown, during: Duration, show: Show<'_>) -> Result<()> {
    let watch = begin(shop);
    let (since, mut turn) = (Instant::now(), 0_usize);
    let mut ticks = tokio::time::interval(Duration::from_secs(5));
    while since.elapsed() < during {
        ticks.tick().await;
        for ids in instances(shop).values() {
            if let Some(victim) = ids.get(turn % ids.len().max(1)) {
                let _ = kill(*victim);
            }
        }
        turn += 1;
    }
    let seen = watch.end().await?;
    let name = format!(
        "one instance of each service killed every 5 s for {} s",
        during.as_secs()
    );
    show(&name, seen);
    settled(shop).await
}

struct Disturbed {
    stop: Arc<AtomicBool>,
    shoppers: tokio::task::JoinHandle<Result<Watch>>,
}

fn begin(shop: &Grown) -> Disturbed {
    let stop = Arc::new(AtomicBool::new(false));
    let (address, ending) = (shop.address(), stop.clone());
    let shoppers =
        tokio::spawn(
            async move { shoppers::shoppers(&address, "BENCH-1", SHOPPERS, ending).await },
        );
    Disturbed { stop, shoppers }
}

impl Disturbed {
    async fn end(self) -> Result<String> {
        self.stop.store(true, Ordering::Relaxed);
        let watch = self.shoppers.await.context("the shoppers broke")??;
        Ok(watch.to_string())
    }
}

/// Processes of each service.
fn instances(shop: &Grown) -> BTreeMap<String, Vec<u32>> {
    let mut all: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (id, line) in shop.processes() {
        let Some((_, rest)) = line.split_once(" run ") else {
            continue;
        };
        let service = rest.split(' ').next().unwrap_or_default();
        if service != "gateway" {
            all.entry(service.to_owned()).or_default().push(id);
        }
    }
    all
}

fn kill(id: u32) -> Result<()> {
    let done = std::process::Command::new("kill")
        .args(["-9", &id.to_string()])
        .status();
    done.context("kill")?;
    Ok(())
}

/// Waits until every service has its two instances again, and buying works.
async fn settled(shop: &Grown) -> Result<()> {
    until(Duration::from_secs(60), async || {
        let two = instances(shop).values().all(|ids| ids.len() == 2);
        two.then_some(())
    })
    .await
    .context("the instances do not come back")?;
    load::checkouts_each(&shop.address(), "BENCH-1", 16).await?;
    Ok(())
}
