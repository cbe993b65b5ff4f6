//! One run: a seed's faults under load, then quiet, then the questions.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use tokio::task::JoinSet;

use crate::{
    api::Api,
    book::{Book, Order, Product, Violation, text},
    buyers::{self, Buyer, Caller},
    error::{Error, Result},
    facts::{self, Facts, Opening},
    logs, models,
    random::Random,
    rules,
    schedule::Schedule,
    storm,
    world::World,
};

/// How long everything may take to come to its end after the last fault was healed: the longest
/// deadline of an order, a clock's longest jump, and room.
const QUIET: Duration = Duration::from_secs(90);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(300);
/// Longest wait for one answer, so that buyers turn to the other gateway.
const ANSWER: Duration = Duration::from_secs(5);

/// Questions asked at once.
const AT_ONCE: usize = 8;

/// How much load, and how much is checked.
#[derive(Clone, Debug)]
pub struct Load {
    /// Buyers at once.
    pub buyers: u64,
    /// Milliseconds of faults.
    pub length: u64,
    /// Read models that are rebuilt after the run.
    pub rebuilds: usize,
    /// Milliseconds after which a silent instance is taken for dead.
    pub lease_ms: u64,
}

/// What came of a run.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What was broken; empty is good.
    pub violations: Vec<Violation>,
    /// Acknowledged orders.
    pub acknowledged: usize,
    /// Orders by their end.
    pub confirmed: usize,
    /// Orders by their end.
    pub cancelled: usize,
    /// Faults.
    pub faults: usize,
    /// What could not be done.
    pub notes: Vec<String>,
    /// The whole run.
    pub took: Duration,
    /// From the last fault to quiet.
    pub quiet_after: Duration,
}

/// Positions up to which the broker was compared, by service; kept from run to run of a world.
pub type Compared = HashMap<&'static str, u64>;

/// Plays a seed on a world and asks all questions. An error is the suite's own.
pub async fn run(
    world: &Arc<World>,
    schedule: &Schedule,
    load: &Load,
    compared: &mut Compared,
) -> Result<Outcome> {
    let begun = Instant::now();
    let mut outcome = Outcome {
        faults: schedule.steps.len(),
        ..Outcome::default()
    };
    let shop = Shop::open(world, schedule.seed)?;
    let opening = facts::opening(world).await?;
    let mut random = Random::of(schedule.seed, 2);
    if let Err(violation) = buyers::stock_up(&shop.staff, &mut random, &shop.goods).await {
        outcome.violations.push(violation);
        return Ok(outcome);
    }
    let mut people = shop.people(world, load, schedule.seed)?;
    outcome.notes = storm::play(world, schedule).await?;
    let healed = Instant::now();
    world.heal().await?;
    shop.book.close();
    while let Some(ended) = people.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(violation)) => outcome.violations.push(violation),
            Err(error) => return Err(Error::other(format!("a buyer failed: {error}"))),
        }
    }
    let facts = quiet(world, &opening).await?;
    outcome.quiet_after = healed.elapsed();
    let acknowledged = shop.book.orders();
    outcome.acknowledged = acknowledged.len();
    let ended = |status: &str| facts.orders.values().filter(|o| o.status == status).count();
    (outcome.confirmed, outcome.cancelled) = (ended("confirmed"), ended("cancelled"));
    outcome
        .violations
        .extend(rules::broken(&facts, &acknowledged, &shop.goods_received()));
    outcome.violations.extend(logs::broken(world).await?);
    outcome.violations.extend(panics(world));
    if outcome.violations.is_empty() {
        // These need a shop that works.
        world.repair().await?;
        outcome
            .violations
            .extend(logs::broker_broken(world, compared).await?);
        outcome
            .violations
            .extend(shop.answers(&facts, &acknowledged).await);
        let rebuilt = models::broken(world, &shop.api, &mut random, load.rebuilds);
        outcome.violations.extend(rebuilt.await?);
    }
    outcome.took = begun.elapsed();
    Ok(outcome)
}

/// Waits until everything has come to its end and the logs stand still. When that takes too long,
/// the facts as they are: the rules will say what is wrong with them.
async fn quiet(world: &World, opening: &Opening) -> Result<Facts> {
    let since = Instant::now();
    let mut before: Option<Facts> = None;
    let mut looked = 0_u32;
    loop {
        let facts = facts::gather(world, opening).await;
        if let Ok(facts) = &facts {
            let pending = rules::pending(facts);
            if since.elapsed() > QUIET || (pending.is_none() && before.as_ref() == Some(facts)) {
                return Ok(facts.clone());
            }
            looked += 1;
            if looked.is_multiple_of(30) {
                let pending = pending.unwrap_or_else(|| "the logs still grow".into());
                crate::say(&format!(
                    "  … {:.0} s: {pending}",
                    since.elapsed().as_secs_f64()
                ));
            }
        } else if since.elapsed() > QUIET {
            return facts;
        }
        before = facts.ok();
        tokio::time::sleep(LOOK).await;
    }
}

/// A process that panicked says so in its log.
fn panics(world: &World) -> Vec<Violation> {
    let logs = world.processes.values().map(|process| process.log());
    logs.filter_map(|log| {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let line = text.lines().find(|line| line.contains("panicked at"))?;
        let name = log.file_stem().unwrap_or_default().to_string_lossy();
        Some(Violation::new(
            "no process panics",
            format!("{name}: {line}"),
        ))
    })
    .collect()
}

/// A shop as people see it in one run.
struct Shop {
    book: Arc<Book>,
    goods: Arc<Vec<Product>>,
    guest: Caller,
    staff: Caller,
    api: Api,
}

impl Shop {
    fn open(world: &World, seed: u64) -> Result<Self> {
        let book = Arc::new(Book::default());
        let gateways = world.gateways();
        let apis: Result<Vec<Api>> = gateways.iter().map(|url| Api::new(url, ANSWER)).collect();
        let first = gateways.first().ok_or_else(|| Error::other("no gateway"))?;
        let key = world.key()?;
        let guest = Caller::new(apis?, book.clone());
        // Never the same in one world, even when a seed is played twice.
        let name = format!("S{seed}R{}", world.runs);
        let product = |suffix: &str, stock, price| Product {
            sku: format!("{name}-{suffix}"),
            stock,
            price,
        };
        Ok(Self {
            goods: Arc::new(vec![
                product("HOT", 20, 9_900),
                product("MUG", 500, 750),
                product("PEN", 60, 120),
                product("CUP", 500, 1_234),
            ]),
            staff: guest.with(&key),
            api: Api::new(first, Duration::from_secs(60))?.with(&key),
            guest,
            book,
        })
    }

    fn people(
        &self,
        world: &World,
        load: &Load,
        seed: u64,
    ) -> Result<JoinSet<std::result::Result<(), Violation>>> {
        let mut people = JoinSet::new();
        let restocking = Random::of(seed, 3);
        people.spawn(buyers::restock(
            self.staff.clone(),
            self.goods.clone(),
            restocking,
        ));
        for n in 0..load.buyers {
            let buyer = Buyer {
                guest: self.guest.clone(),
                staff: self.staff.clone(),
                bank: world.provider_api()?,
                goods: self.goods.clone(),
                name: format!("{seed}-{}-{n}", world.runs),
            };
            people.spawn(buyer.shop(Random::of(seed, 100 + n)));
        }
        Ok(people)
    }

    fn goods_received(&self) -> Vec<(Product, i64)> {
        let goods = self.goods.iter().cloned();
        goods
            .map(|product| {
                let received = self.book.units_received(&product.sku);
                (product, received)
            })
            .collect()
    }

    /// Asks the shop itself about every acknowledged order, as its buyer.
    async fn answers(&self, facts: &Facts, orders: &[Order]) -> Vec<Violation> {
        let asked = orders.iter().map(|order| async move {
            let path = format!("/api/orders/{}", order.id);
            (order, self.api.with(&order.token).get(&path).await)
        });
        let asked: Vec<_> = asked.collect();
        let answers = stream::iter(asked).buffer_unordered(AT_ONCE);
        let mut found = Vec::new();
        for (order, answer) in answers.collect::<Vec<_>>().await {
            let wanted = facts.orders.get(&order.id).map_or("", |fact| fact.status);
            let is = answer
                .as_ref()
                .map_or("", |answer| text(&answer.body, "status"));
            if is != wanted {
                let detail = format!("{order:?} is {wanted}, the shop answers {answer:?}");
                found.push(Violation::new(
                    "buyers are told how their orders stand",
                    detail,
                ));
            }
        }
        found
    }
}

/// The schedule of a seed under this load.
pub fn schedule(seed: u64, load: &Load) -> Schedule {
    Schedule::of(seed, load.length, load.lease_ms)
}
