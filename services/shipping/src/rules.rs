//! The rules of a fulfilment's goods: split, packed, shipped, followed, given up.

use contracts::shipping::{
    FulfilmentCancelled, FulfilmentCreated, FulfilmentDelivered, FulfilmentEvent, FulfilmentId,
    FulfilmentLine, FulfilmentLost, FulfilmentPacked, FulfilmentReady, FulfilmentReturned,
    FulfilmentShipped, FulfilmentSplit, FulfilmentStatus, LabelStatus, LineQuantity, Package,
    Tracking, TrackingInput, TrackingRecorded, TrackingStatus,
};
use kernel::{Rejection, Timestamp};

use crate::{
    fulfilment::{Fulfilment, Label},
    labelling,
};

type Events = Vec<FulfilmentEvent>;

/// Most tellings that are kept of a fulfilment's parcels; more are refused.
const MAX_NEWS: usize = 500;

/// A fulfilment at the moment of a decision.
pub struct At<'a> {
    /// It.
    pub state: &'a Fulfilment,
    /// How it began.
    pub created: &'a FulfilmentCreated,
    /// The moment.
    pub at: Timestamp,
}

/// 409: not in this state.
pub fn not_now(status: FulfilmentStatus, what: &str) -> Rejection {
    let status = status.as_str();
    Rejection::conflict(
        "fulfilment-state",
        format!("the fulfilment is {status}: {what}"),
    )
}

impl At<'_> {
    fn id(&self) -> FulfilmentId {
        self.created.fulfilment_id.clone()
    }

    pub(crate) fn split(
        &self,
        into: &FulfilmentId,
        moved: &[LineQuantity],
    ) -> Result<Events, Rejection> {
        if self.state.status != FulfilmentStatus::Open {
            let what = "only what is not packed yet can be split";
            return Err(not_now(self.state.status, what));
        }
        let moved = self.taken(moved)?;
        let all: i64 = self.state.lines.iter().map(|line| line.quantity).sum();
        if moved.iter().map(|line| line.quantity).sum::<i64>() >= all {
            let detail = "something must stay behind";
            return Err(Rejection::invalid("lines", detail));
        }
        Ok(vec![
            FulfilmentSplit {
                fulfilment_id: self.id(),
                order_id: self.created.order_id.clone(),
                into: into.clone(),
                moved,
                at: self.at,
            }
            .into(),
        ])
    }

    fn taken(&self, wanted: &[LineQuantity]) -> Result<Vec<FulfilmentLine>, Rejection> {
        let mut moved: Vec<FulfilmentLine> = Vec::with_capacity(wanted.len());
        for (i, want) in wanted.iter().enumerate() {
            let line = self.state.lines.iter().find(|l| l.line_id == want.line_id);
            let Some(line) = line.filter(|l| !moved.iter().any(|m| m.line_id == l.line_id)) else {
                let detail = "must be a line of the fulfilment, each once";
                return Err(Rejection::invalid(format!("lines[{i}].line_id"), detail));
            };
            if !(1..=line.quantity).contains(&want.quantity) {
                let detail = format!("must be 1 to {}", line.quantity);
                return Err(Rejection::invalid(format!("lines[{i}].quantity"), detail));
            }
            moved.push(FulfilmentLine {
                quantity: want.quantity,
                ..line.clone()
            });
        }
        match moved.is_empty() {
            true => Err(Rejection::invalid("lines", "must name at least one line")),
            false => Ok(moved),
        }
    }

    pub(crate) fn pack(&self, packages: &[Package]) -> Result<Events, Rejection> {
        match self.state.status {
            FulfilmentStatus::Packed if self.state.packages == packages => Ok(Vec::new()),
            FulfilmentStatus::Packed if self.state.labels.iter().any(Label::is_live) => {
                let detail = "there are labels for the parcels; void them first";
                Err(Rejection::conflict("label-exists", detail))
            }
            FulfilmentStatus::Open | FulfilmentStatus::Packed => Ok(vec![
                FulfilmentPacked {
                    fulfilment_id: self.id(),
                    order_id: self.created.order_id.clone(),
                    packages: packages.to_vec(),
                    at: self.at,
                }
                .into(),
            ]),
            status => Err(not_now(status, "it cannot be packed any more")),
        }
    }

    pub(crate) fn ready(&self) -> Result<Events, Rejection> {
        if !self.created.collect {
            let detail = "the buyer does not collect it";
            return Err(Rejection::conflict("not-collected", detail));
        }
        match self.state.status {
            FulfilmentStatus::Ready => Ok(Vec::new()),
            FulfilmentStatus::Open | FulfilmentStatus::Packed => Ok(vec![
                FulfilmentReady {
                    fulfilment_id: self.id(),
                    order_id: self.created.order_id.clone(),
                    at: self.at,
                }
                .into(),
            ]),
            status => Err(not_now(status, "it cannot be made ready any more")),
        }
    }

    pub(crate) fn ship(
        &self,
        tracking: &[Tracking],
        handed_over: bool,
    ) -> Result<Events, Rejection> {
        match self.state.status {
            FulfilmentStatus::Cancelled => Err(not_now(self.state.status, "nothing is sent")),
            FulfilmentStatus::Open | FulfilmentStatus::Packed | FulfilmentStatus::Ready => {
                let tracking = self.sent_as(tracking, handed_over)?;
                let mut events = vec![self.shipped(tracking)];
                if handed_over {
                    events.push(self.delivered());
                }
                Ok(events)
            }
            // It has left already, whatever became of it.
            _ => Ok(Vec::new()),
        }
    }

    /// How it can be followed: by our labels, one for each parcel, or by what was told.
    fn sent_as(&self, told: &[Tracking], handed_over: bool) -> Result<Vec<Tracking>, Rejection> {
        if self.state.labels.iter().any(Label::is_pending) {
            let detail = "a label is being bought; wait for it";
            return Err(Rejection::conflict("label-pending", detail));
        }
        if handed_over {
            return Ok(Vec::new());
        }
        if self.created.collect {
            let detail = "the buyer collects it: say that it was handed over";
            return Err(Rejection::unprocessable("not-handed-over", detail).field("handed_over"));
        }
        if !told.is_empty() {
            return Ok(told.to_vec());
        }
        let bought = |i: usize| {
            let label = self.state.live_label(i as i64 + 1)?;
            let good = label.status == LabelStatus::Bought;
            label.tracking.clone().filter(|_| good)
        };
        let all: Option<Vec<Tracking>> = (0..self.state.packages.len()).map(bought).collect();
        all.filter(|all| !all.is_empty()).ok_or_else(|| {
            let detail = "every parcel needs a label first; or give its tracking, or say that it was handed over";
            Rejection::conflict("label-missing", detail)
        })
    }

    fn shipped(&self, mut tracking: Vec<Tracking>) -> FulfilmentEvent {
        let more_tracking = tracking.split_off(tracking.len().min(1));
        FulfilmentShipped {
            fulfilment_id: self.id(),
            order_id: self.created.order_id.clone(),
            number: self.created.number.clone(),
            location: self.created.location.clone(),
            lines: self.state.lines.clone(),
            tracking: tracking.pop(),
            more_tracking,
            at: self.at,
        }
        .into()
    }

    fn delivered(&self) -> FulfilmentEvent {
        FulfilmentDelivered {
            fulfilment_id: self.id(),
            order_id: self.created.order_id.clone(),
            at: self.at,
        }
        .into()
    }

    pub(crate) fn track(&self, input: &TrackingInput) -> Result<Events, Rejection> {
        let known = |news: &TrackingRecorded| news.event_id == input.event_id;
        if self.state.news.iter().any(known) {
            return Ok(Vec::new());
        }
        let number = self.parcel(input)?;
        if self.state.news.len() >= MAX_NEWS {
            let detail = format!("a fulfilment takes {MAX_NEWS} tellings");
            return Err(Rejection::unprocessable("too-many", detail));
        }
        let told = TrackingRecorded {
            fulfilment_id: self.id(),
            order_id: self.created.order_id.clone(),
            event_id: input.event_id.clone(),
            number,
            status: input.status,
            place: input.place.clone(),
            happened_at: input.happened_at.unwrap_or(self.at),
            at: self.at,
        };
        let mut state = self.state.clone();
        state.news.push(told.clone());
        let mut events: Events = vec![told.into()];
        let before = matches!(
            state.status,
            FulfilmentStatus::Open | FulfilmentStatus::Packed | FulfilmentStatus::Ready
        );
        if before {
            // Who has it or delivered it tells that it left, even if nobody here said so.
            let parcels = self.state.parcels().into_iter().cloned().collect();
            let shipped = self.shipped(parcels);
            crate::fold::fold(&mut state, &shipped);
            events.push(shipped);
        }
        events.extend(self.outcome(&state));
        Ok(events)
    }

    fn parcel(&self, input: &TrackingInput) -> Result<String, Rejection> {
        let parcels = self.state.parcels();
        let found = match &input.number {
            Some(number) => parcels.iter().find(|t| t.number == *number),
            None if parcels.len() == 1 => parcels.first(),
            None => None,
        };
        let detail = "must be the number of one of its parcels";
        found
            .map(|tracking| tracking.number.clone())
            .ok_or_else(|| Rejection::unprocessable("unknown-parcel", detail).field("number"))
    }

    /// What all the news of all parcels come to, if that is new.
    fn outcome(&self, state: &Fulfilment) -> Option<FulfilmentEvent> {
        let ends: Option<Vec<TrackingStatus>> = state
            .parcels()
            .iter()
            .map(|parcel| end_of(state, &parcel.number))
            .collect();
        let ends = ends.filter(|ends| !ends.is_empty())?;
        let (id, order_id, at) = (self.id(), self.created.order_id.clone(), self.at);
        let fulfilment_id = id;
        if ends.contains(&TrackingStatus::Lost) {
            let so = state.status == FulfilmentStatus::Shipped;
            let lost = FulfilmentLost {
                fulfilment_id,
                order_id,
                at,
            };
            return so.then(|| lost.into());
        }
        let open = matches!(
            state.status,
            FulfilmentStatus::Shipped | FulfilmentStatus::Lost
        );
        if !open {
            return None;
        }
        Some(match ends.contains(&TrackingStatus::ReturnedToSender) {
            true => FulfilmentReturned {
                fulfilment_id,
                order_id,
                at,
            }
            .into(),
            false => self.delivered(),
        })
    }

    pub(crate) fn cancel(&self) -> Events {
        match self.state.status {
            FulfilmentStatus::Open | FulfilmentStatus::Packed | FulfilmentStatus::Ready => {
                let cancelled = FulfilmentCancelled {
                    fulfilment_id: self.id(),
                    order_id: self.created.order_id.clone(),
                    at: self.at,
                };
                let mut events: Events = vec![cancelled.into()];
                events.extend(labelling::void_all(self));
                events
            }
            // Sent already: it comes back as a return. Or given up already.
            _ => Vec::new(),
        }
    }
}

/// How a parcel ended: a delivery counts before a return, and both before a loss, in whatever
/// order they were told (a lost parcel may be found).
fn end_of(state: &Fulfilment, number: &str) -> Option<TrackingStatus> {
    let told = |status| {
        state
            .news
            .iter()
            .any(|n| n.number == number && n.status == status)
    };
    [
        TrackingStatus::Delivered,
        TrackingStatus::ReturnedToSender,
        TrackingStatus::Lost,
    ]
    .into_iter()
    .find(|status| told(*status))
}
