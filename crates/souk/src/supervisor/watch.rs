//! Looks at all processes again and again: what they use, and whether there are too few or too many.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use super::{
    autoscale::{Measured, Rule, Scaler},
    crew::{Crew, Say},
    slot::{Slot, State},
    usage::{Meter, Usage, largest, sum},
};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// Commands that wait to be decided, in a process's metrics.
const QUEUE: &str = "souk_batch_queue";
/// Events that a subscription or a worker has yet to handle.
const BEHIND: &str = "souk_subscription_lag";

/// Looks until everything ends.
pub async fn watch(crew: Arc<Crew>, rules: Vec<Rule>) {
    let mut meters: HashMap<String, Meter> = HashMap::new();
    let mut scalers: Vec<(String, Scaler)> = rules
        .into_iter()
        .map(|rule| (rule.service, Scaler::new(rule.range)))
        .collect();
    let mut ending = crew.ending();
    let started = Instant::now();
    loop {
        let slots = crew.slots();
        let names: Vec<&str> = slots.iter().map(|slot| slot.name.as_str()).collect();
        meters.retain(|name, _| names.contains(&name.as_str()));
        for slot in &slots {
            let meter = meters.entry(slot.name.clone()).or_default();
            look(&crew, slot, meter).await;
        }
        for (service, scaler) in &mut scalers {
            let measured = measured(&crew, service);
            if let Some(wanted) = scaler.decide(started.elapsed(), &measured) {
                println!(
                    "autoscale: {service} {} → {wanted} ({measured})",
                    measured.processes
                );
                tokio::spawn(scale(crew.clone(), service.clone(), wanted));
            }
        }
        let end = ending.wait_for(|ending| *ending);
        if tokio::time::timeout(LOOK, end).await.is_ok() {
            return;
        }
    }
}

async fn scale(crew: Arc<Crew>, service: String, wanted: usize) {
    let say: Say = Arc::new(|text| println!("autoscale: {text}"));
    if let Err(failure) = crew.scale(&service, wanted, &say).await {
        println!("autoscale: {failure}");
    }
}

async fn look(crew: &Crew, slot: &Slot, meter: &mut Meter) {
    let status = slot.status();
    let Some(pid) = status.pid else {
        return;
    };
    let mut usage = meter.look(pid);
    // A shared address would answer for another process.
    let own = status.address.filter(|_| slot.kind.listener.is_none());
    if let (State::Ready, Some(address)) = (status.state, own) {
        let metrics = metrics(crew, &address).await.unwrap_or_default();
        usage.queue = sum(&metrics, QUEUE);
        usage.behind = largest(&metrics, BEHIND);
    }
    *slot.usage.lock().unwrap_or_else(PoisonError::into_inner) = usage;
}

async fn metrics(crew: &Crew, address: &str) -> Option<String> {
    let url = format!("{address}/metrics");
    let answer = crew.ground().http.get(url).send().await.ok()?;
    answer.error_for_status().ok()?.text().await.ok()
}

/// What a service's processes did, together. Nothing is decided while one of them comes or goes.
fn measured(crew: &Crew, service: &str) -> Measured {
    let slots = crew.slots_of(service).unwrap_or_default();
    if slots.iter().any(|slot| slot.status().state != State::Ready) {
        return Measured::default();
    }
    let usages: Vec<Usage> = slots.iter().map(|slot| slot.usage()).collect();
    let cpu: f64 = usages.iter().filter_map(|usage| usage.cpu).sum();
    Measured {
        processes: slots.len(),
        cpu: cpu / slots.len().max(1) as f64,
        queue: usages.iter().filter_map(|usage| usage.queue).sum(),
        behind: usages
            .iter()
            .filter_map(|usage| usage.behind)
            .fold(0.0, f64::max),
    }
}
