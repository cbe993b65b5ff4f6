//! Keeping segments true: after a definition changed, and once a day for rules that depend on time.

use std::sync::Arc;

use contracts::identity::CustomerId;
use kernel::{
    App, AppError, Command, From, Recorded, Rejection, StreamId, Timer, UnitOfWork, Worker,
};

use crate::{
    directory::{ALL, Directories, Directory, DirectoryCommand},
    profile::{Reassess, directory},
    queries,
    work::{caused_by, failed},
};

/// Timer kind: a day has passed.
pub const REVIEW: &str = "segment-review";
const DAY: i64 = 24 * 60 * 60;
/// Customers looked at in one commit.
const CHUNK: i64 = 100;

/// A change of the directory. While it holds rules that depend on time, a timer goes with it.
#[derive(Clone, Debug)]
pub struct OnDirectory(pub DirectoryCommand);

impl Command for OnDirectory {
    type Output = Directory;

    fn streams(&self) -> Vec<StreamId> {
        vec![directory()]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Directory, Rejection> {
        let was_timed = work.state::<Directories>(ALL)?.is_timed();
        work.decide::<Directories>(ALL, &self.0)?;
        let directory = work.state::<Directories>(ALL)?.clone();
        match (was_timed, directory.is_timed()) {
            (false, true) => set_timer(work),
            (true, false) => work.cancel_timer(REVIEW),
            _ => {}
        }
        Ok(directory)
    }
}

/// The daily timer fell due.
#[derive(Clone, Copy, Debug)]
pub struct DayPassed;

impl Command for DayPassed {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![directory()]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let review = DirectoryCommand::Review(work.now());
        if work.decide::<Directories>(ALL, &review)? > 0 {
            set_timer(work);
        }
        Ok(())
    }
}

fn set_timer(work: &mut UnitOfWork<'_>) {
    work.set_timer(Timer {
        key: REVIEW.into(),
        due: work.now().plus_seconds(DAY),
        kind: REVIEW.into(),
        data: String::new(),
    });
}

/// Looks at everybody again after the directory changed or a day passed.
pub fn reviewer() -> Worker {
    Worker {
        name: "segment-reviews",
        topics: &["customers"],
        types: &[
            "customers.segment.defined.v1",
            "customers.segment.removed.v1",
            "customers.group.removed.v1",
            "customers.segment.review_due.v1",
        ],
        from: From::Beginning,
        // One at a time: what is found is by the directory as it is then.
        concurrency: 1,
        perform: Arc::new(|app, recorded| {
            Box::pin(async move { review(&app, &recorded).await.map_err(failed) })
        }),
    }
}

async fn review(app: &App, recorded: &Recorded) -> Result<(), AppError> {
    let context = caused_by(recorded);
    let mut after = String::new();
    loop {
        let ids: Vec<CustomerId> = queries::open_customers(app, &after, CHUNK).await?;
        let Some(last) = ids.last() else {
            return Ok(());
        };
        after = last.to_string();
        app.execute(&context, Reassess(ids)).await?;
    }
}
