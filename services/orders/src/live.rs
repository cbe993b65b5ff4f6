//! Waiting for an order to change, and telling it as server-sent events.

use std::{collections::VecDeque, convert::Infallible, pin::Pin, time::Duration};

use axum::response::sse::Event;
use contracts::orders::{OrderId, OrderStatus, OrderUpdate};
use futures_util::stream::{Stream, unfold};
use kernel::{App, AppError};
use tokio::time::{Sleep, sleep, timeout};

use crate::{
    feed::{Feeds, Follower},
    order::Order,
    render::updates,
    state::OrderState,
};

/// How long a confirmed order is followed further: a capture or a cancellation often comes soon.
const GRACE: Duration = Duration::from_secs(60);
/// The longest that one stream of events lasts; a browser comes back by itself.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// The order as soon as it satisfies `done`, or as it is after `patience`.
pub async fn wait_until(
    app: &App,
    feeds: &Feeds,
    order: &OrderId,
    patience: Duration,
    done: impl Fn(&OrderState) -> bool,
) -> Result<OrderState, AppError> {
    // Followed before it is read, so that nothing happens unseen in between.
    let mut follower = feeds.follow(order);
    let mut state = app.state::<Order>(order.as_str()).await?.state;
    let waiting = async {
        while !done(&state) && follower.changed().await {
            state = app.state::<Order>(order.as_str()).await?.state;
        }
        Ok(())
    };
    match timeout(patience, waiting).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) | Err(_) => Ok(state),
    }
}

/// What is still to be told about an order: pure, so that it can be tested without a clock.
#[derive(Default)]
pub struct Telling {
    seen: Option<usize>,
    queue: VecDeque<OrderUpdate>,
    status: OrderStatus,
}

impl Telling {
    /// Takes in the order as it is now. The first time only its present state is told, from then
    /// on each change since.
    pub fn look(&mut self, order: &OrderState) {
        let seen = self.seen.unwrap_or(order.history.len().saturating_sub(1));
        self.queue.extend(updates(order, seen));
        self.seen = Some(order.history.len());
        self.status = order.status;
    }

    /// The next change to tell.
    pub fn next(&mut self) -> Option<OrderUpdate> {
        self.queue.pop_front()
    }

    /// Whether everything is told and nothing more can come that a buyer waits for.
    pub fn is_over(&self) -> bool {
        self.queue.is_empty() && self.status == OrderStatus::Cancelled
    }

    /// Whether only what is rare can come now.
    pub fn is_winding_down(&self) -> bool {
        self.status == OrderStatus::Confirmed
    }
}

struct Following {
    app: App,
    order: OrderId,
    follower: Follower,
    telling: Telling,
    ends: Pin<Box<Sleep>>,
    winding_down: bool,
    over: bool,
}

/// The changes of `order` as they happen, beginning with its present state. Events are named
/// `update`; the last one is named `end`, on which a client should close the connection.
pub fn events(
    app: App,
    feeds: &Feeds,
    order: OrderId,
) -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    let following = Following {
        follower: feeds.follow(&order),
        app,
        order,
        telling: Telling::default(),
        ends: Box::pin(sleep(LONGEST)),
        winding_down: false,
        over: false,
    };
    unfold(following, next_event)
}

async fn next_event(mut this: Following) -> Option<(Result<Event, Infallible>, Following)> {
    if this.over {
        return None;
    }
    if this.telling.seen.is_none() {
        this.read().await;
    }
    loop {
        if let Some(update) = this.telling.next() {
            return Some((Ok(rendered(&update)), this));
        }
        if this.telling.is_over() || !this.wait().await {
            this.over = true;
            return Some((Ok(Event::default().event("end").data("{}")), this));
        }
        this.read().await;
    }
}

impl Following {
    /// Waits for the next change; `false` when it is time to end.
    async fn wait(&mut self) -> bool {
        if self.telling.is_winding_down() && !self.winding_down {
            self.winding_down = true;
            self.ends = Box::pin(sleep(GRACE));
        }
        tokio::select! {
            () = &mut self.ends => false,
            heard = self.follower.changed() => heard,
        }
    }

    async fn read(&mut self) {
        match self.app.state::<Order>(self.order.as_str()).await {
            Ok(read) => self.telling.look(&read.state),
            // The page keeps what it shows; the next change, or the browser's coming back, heals it.
            Err(error) => tracing::warn!(%error, "an order could not be read for its followers"),
        }
    }
}

fn rendered(update: &OrderUpdate) -> Event {
    let data = serde_json::to_string(update).unwrap_or_else(|_| "{}".into());
    Event::default().event("update").data(data)
}
