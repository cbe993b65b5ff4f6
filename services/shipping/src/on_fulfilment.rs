//! Commands on fulfilments, with the durable timers their events call for, in one commit.

use contracts::shipping::{
    FulfilmentCreated, FulfilmentEvent, FulfilmentId, LineQuantity, Tracking,
};
use kernel::{
    AnyCommand, Command, Decider, Poison, Rejection, StreamId, Timer, Timestamp, UnitOfWork,
};

use crate::{
    dispatch::{DispatchCommand, Dispatches},
    fulfilment::{Fulfilment, Fulfilments, Step, label_key, parse_label_key},
    patience::Patience,
};

/// The kind of the timer that has a silent carrier asked.
pub const ASK: &str = "ask-carrier";

/// A step of one fulfilment.
pub struct OnFulfilment {
    /// Which.
    pub id: FulfilmentId,
    /// What it meets.
    pub step: Step,
    /// How patient to be with carriers.
    pub patience: Patience,
}

impl Command for OnFulfilment {
    type Output = Fulfilment;

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Fulfilments::CATEGORY, self.id.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Fulfilment, Rejection> {
        let (id, now) = (self.id.as_str(), work.now());
        let command = self.step.clone().at(now, self.patience);
        let events = Fulfilments::decide(work.state::<Fulfilments>(id)?, &command)?;
        for event in events {
            match timer_for(&self.id, &event, now, self.patience) {
                Change::Keep => {}
                Change::Set(timer) => work.set_timer(timer),
                Change::Cancel(key) => work.cancel_timer(key),
            }
            work.append::<Fulfilments>(id, event)?;
        }
        Ok(work.state::<Fulfilments>(id)?.clone())
    }
}

enum Change {
    Keep,
    Set(Timer),
    Cancel(String),
}

fn timer_for(
    id: &FulfilmentId,
    event: &FulfilmentEvent,
    now: Timestamp,
    patience: Patience,
) -> Change {
    let key = |label: i64| format!("{ASK}:{}", label_key(id, label));
    let set = |label: i64, due| {
        Change::Set(Timer {
            key: key(label),
            due,
            kind: ASK.into(),
            data: label_key(id, label),
        })
    };
    match event {
        FulfilmentEvent::LabelUnknown(e) => set(e.label, e.ask_at),
        // In case the inquiry itself gets lost.
        FulfilmentEvent::LabelInquiryDue(e) => set(e.label, patience.lost_at(now)),
        FulfilmentEvent::LabelBought(e) => Change::Cancel(key(e.label)),
        FulfilmentEvent::LabelFailed(e) => Change::Cancel(key(e.label)),
        FulfilmentEvent::LabelVoided(e) => Change::Cancel(key(e.label)),
        FulfilmentEvent::LabelVoidFailed(e) => Change::Cancel(key(e.label)),
        _ => Change::Keep,
    }
}

/// What a due [`ASK`] timer leads to.
pub fn ask_due(timer: &Timer, patience: Patience) -> Result<Box<dyn AnyCommand>, Poison> {
    let named = parse_label_key(&timer.data);
    let (id, label) = named.ok_or_else(|| Poison("a timer that names no label".into()))?;
    Ok(Box::new(OnFulfilment {
        id,
        step: Step::LabelDue(label),
        patience,
    }))
}

/// Lets some of a fulfilment's goods go by themselves.
pub struct SplitOff {
    /// Which fulfilment.
    pub id: FulfilmentId,
    /// What goes.
    pub moved: Vec<LineQuantity>,
    /// How patient to be with carriers.
    pub patience: Patience,
}

impl Command for SplitOff {
    /// What stayed, and the new one.
    type Output = (Fulfilment, Fulfilment);

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Fulfilments::CATEGORY, self.id.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Self::Output, Rejection> {
        let (id, now) = (self.id.as_str(), work.now());
        let before = work.state::<Fulfilments>(id)?.created.clone();
        let before = before.ok_or_else(|| Rejection::not_found("fulfilment"))?;
        let order = before.order_id.as_str().to_owned();
        let into = work.state::<Dispatches>(&order)?.next_id();
        let into = into.ok_or_else(|| Rejection::not_found("order"))?;
        let step = Step::Split {
            into: into.clone(),
            moved: self.moved.clone(),
        };
        let events =
            Fulfilments::decide(work.state::<Fulfilments>(id)?, &step.at(now, self.patience))?;
        for event in events {
            if let FulfilmentEvent::Split(split) = &event {
                let created = FulfilmentCreated {
                    fulfilment_id: into.clone(),
                    lines: split.moved.clone(),
                    split_from: Some(self.id.clone()),
                    at: now,
                    ..(*before).clone()
                };
                let step = Step::Create(Box::new(created)).at(now, self.patience);
                work.decide::<Fulfilments>(into.as_str(), &step)?;
                work.decide::<Dispatches>(&order, &DispatchCommand::Add(into.clone()))?;
            }
            work.append::<Fulfilments>(id, event)?;
        }
        let remaining = work.state::<Fulfilments>(id)?.clone();
        Ok((remaining, work.state::<Fulfilments>(into.as_str())?.clone()))
    }
}

/// Whether a tracking number is well-formed: 4 to 40 letters and digits; one that looks like a
/// postal item's (UPU S10) must have the right check digit.
pub fn check_tracking(field: &str, tracking: &Tracking) -> Result<(), Rejection> {
    crate::check::text(&format!("{field}.carrier"), &tracking.carrier, 50)?;
    let number = format!("{field}.number");
    check_number(&number, &tracking.number)?;
    match &tracking.url {
        Some(url) if url.len() > 500 || !url.starts_with("https://") => Err(Rejection::invalid(
            format!("{field}.url"),
            "must be an https:// address of at most 500 characters",
        )),
        _ => Ok(()),
    }
}

/// See [`check_tracking`].
pub fn check_number(field: &str, number: &str) -> Result<(), Rejection> {
    let plain = (4..=40).contains(&number.len())
        && number
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if !plain {
        let detail = "must be 4 to 40 capital letters and digits";
        return Err(Rejection::invalid(field, detail));
    }
    match labels::s10::looks_like(number) && !labels::s10::is_valid(number) {
        true => Err(Rejection::invalid(
            field,
            "the check digit is wrong (UPU S10): look for a mistyped digit",
        )),
        false => Ok(()),
    }
}
