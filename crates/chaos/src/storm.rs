//! Lets a schedule happen to a shop.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{task::JoinSet, time::Instant};

use crate::{
    error::Result,
    schedule::{Fault, Schedule},
    world::World,
};

/// Plays the schedule; returns when its time is over and every fault has ended. Answers what could
/// not be done, and why.
pub async fn play(world: &Arc<World>, schedule: &Schedule) -> Result<Vec<String>> {
    let begin = Instant::now();
    let notes = Arc::new(Mutex::new(Vec::new()));
    let mut faults = JoinSet::new();
    for step in &schedule.steps {
        tokio::time::sleep_until(begin + Duration::from_millis(step.at)).await;
        let (world, notes, fault) = (world.clone(), notes.clone(), step.fault);
        faults.spawn(async move {
            let note = happen(&world, fault).await;
            let note = note.unwrap_or_else(|error| Some(error.to_string()));
            if let Some(note) = note {
                let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
                notes.push(format!("{fault}: {note}"));
            }
        });
    }
    tokio::time::sleep_until(begin + Duration::from_millis(schedule.length)).await;
    // Links are healed at the end of the time; what is under way to come back is waited for.
    world.links.heal();
    while faults.join_next().await.is_some() {}
    let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *notes))
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// One fault, from its beginning to its end.
async fn happen(world: &World, fault: Fault) -> Result<Option<String>> {
    match fault {
        Fault::Kill(slot, down) => {
            if let Some(process) = world.processes.get(&slot) {
                process.kill();
                world.links.process_at(slot, None);
                tokio::time::sleep(millis(down)).await;
                process.start()?;
            }
        }
        Fault::Pause(slot, ms) => {
            if let Some(process) = world.processes.get(&slot) {
                process.signal("STOP");
                tokio::time::sleep(millis(ms)).await;
                process.signal("CONT");
            }
        }
        Fault::Break(link, how, ms) => {
            world.links.set(link, Some(how));
            tokio::time::sleep(millis(ms)).await;
            world.links.set(link, None);
        }
        Fault::BrokerKill(down) => {
            let restart = move |broker: &mut scratch::Nats| {
                broker.kill()?;
                std::thread::sleep(millis(down));
                Ok(broker.start_again()?)
            };
            world.broker(restart).await?;
        }
        Fault::DatabaseKill(down) => {
            let restart = world.databases(move |databases| databases.restart(millis(down)));
            restart.await?;
        }
        Fault::PrimaryLoss(after) => {
            let lose = world.databases(move |databases| databases.lose_primary(millis(after)));
            if !lose.await? {
                return Ok(Some("left out: the standby was not in sync".into()));
            }
        }
        Fault::FullDisk(service, ms) => {
            let fill = world.databases(move |databases| databases.fill_disk(service));
            if !fill.await? {
                return Ok(Some("left out: it has no small disk now".into()));
            }
            tokio::time::sleep(millis(ms)).await;
            let free = |databases: &mut crate::engines::Databases| {
                databases.free_disks();
                Ok(())
            };
            world.databases(free).await?;
        }
        Fault::ClockJump(slot, by) => world.set_clock(slot, by)?,
    }
    Ok(None)
}
