//! A fulfilment: its state, and what can be asked of it. The rules are in [`crate::rules`] (goods)
//! and [`crate::labelling`] (labels); in every state every question has an answer, and a repeat
//! changes nothing.

use std::sync::Arc;

use contracts::shipping::{
    FulfilmentCreated, FulfilmentEvent, FulfilmentId, FulfilmentLine, FulfilmentStatus,
    LabelStatus, Package, Tracking, TrackingInput, TrackingRecorded,
};
use kernel::{Decider, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{labelling, patience::Patience, rules};

/// A label of a parcel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Its number within the fulfilment, from 1.
    pub number: i64,
    /// For which parcel, from 1.
    pub package: i64,
    /// What that weighs and measures.
    pub parcel: Package,
    /// Which carrier.
    pub carrier: String,
    /// Where it stands.
    pub status: LabelStatus,
    /// How often the carrier was asked in vain.
    pub asks: i64,
    /// When it is asked next.
    pub ask_at: Option<Timestamp>,
    /// The carrier's own id.
    pub reference: Option<String>,
    /// How the parcel can be followed.
    pub tracking: Option<Tracking>,
    /// Why the carrier refused.
    pub code: Option<String>,
}

impl Label {
    /// Whether it exists at the carrier, or may.
    pub fn is_live(&self) -> bool {
        !matches!(self.status, LabelStatus::Failed | LabelStatus::Voided)
    }

    /// Whether the carrier has not said yet what became of it.
    pub fn is_pending(&self) -> bool {
        matches!(self.status, LabelStatus::Requested | LabelStatus::Unknown)
    }
}

/// A fulfilment as the rules see it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Fulfilment {
    /// How it began.
    pub created: Option<Arc<FulfilmentCreated>>,
    /// What it holds now.
    pub lines: Vec<FulfilmentLine>,
    /// Where it stands.
    pub status: FulfilmentStatus,
    /// Its parcels.
    pub packages: Vec<Package>,
    /// Its labels, oldest first.
    pub labels: Vec<Label>,
    /// How its parcels can be followed, once it was shipped.
    pub tracking: Vec<Tracking>,
    /// What carriers told, in the order it came.
    pub news: Vec<TrackingRecorded>,
    /// When it was shipped.
    pub shipped_at: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
}

impl Fulfilment {
    /// The label of this number.
    pub fn label(&self, number: i64) -> Option<&Label> {
        self.labels.iter().find(|label| label.number == number)
    }

    /// The label that counts for a parcel.
    pub fn live_label(&self, package: i64) -> Option<&Label> {
        let mut of = self.labels.iter().rev();
        of.find(|label| label.package == package && label.is_live())
    }

    /// Numbers of its parcels that carriers may tell of.
    pub fn parcels(&self) -> Vec<&Tracking> {
        let bought = self.labels.iter().filter(|label| label.is_live());
        let mut all: Vec<&Tracking> = self.tracking.iter().collect();
        for tracking in bought.filter_map(|label| label.tracking.as_ref()) {
            if !all.iter().any(|known| known.number == tracking.number) {
                all.push(tracking);
            }
        }
        all
    }
}

/// The reference under which a carrier knows a label, and the key that makes a repeat harmless.
pub fn label_key(id: &FulfilmentId, label: i64) -> String {
    format!("{id}-{label}")
}

/// What a [`label_key`] names.
pub fn parse_label_key(key: &str) -> Option<(FulfilmentId, i64)> {
    let (id, label) = key.rsplit_once('-')?;
    Some((id.parse().ok()?, label.parse().ok()?))
}

/// What a carrier said.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// The label is made (or, asked to void it, void).
    Done {
        /// The carrier's own id.
        reference: String,
        /// How the parcel can be followed.
        tracking: Tracking,
    },
    /// The label is void.
    Voided,
    /// No, and nothing was done.
    Refused(String),
    /// Nothing.
    Silent,
}

/// What is asked of a fulfilment.
#[derive(Clone, Debug)]
pub enum Step {
    /// Let it begin.
    Create(Box<FulfilmentCreated>),
    /// Let some of it go by itself, into a new one.
    Split {
        /// The new one.
        into: FulfilmentId,
        /// What goes.
        moved: Vec<contracts::shipping::LineQuantity>,
    },
    /// It was packed.
    Pack(Vec<Package>),
    /// It lies ready to be collected.
    Ready,
    /// A label is wanted.
    RequestLabel {
        /// For which parcel, from 1.
        package: i64,
        /// From which carrier.
        carrier: String,
    },
    /// A carrier answered, or did not.
    LabelAnswer {
        /// Which label.
        label: i64,
        /// What it said.
        said: Said,
    },
    /// It is time to ask a silent carrier.
    LabelDue(i64),
    /// A label is not wanted any more.
    VoidLabel(i64),
    /// It left the building.
    Ship {
        /// Parcels sent without our labels.
        tracking: Vec<Tracking>,
        /// It was given to the buyer.
        handed_over: bool,
    },
    /// News of a parcel.
    Track(TrackingInput),
    /// The order was given up.
    Cancel,
}

/// A step at a moment.
#[derive(Clone, Debug)]
pub struct FulfilmentCommand {
    /// What is asked.
    pub step: Step,
    /// The moment of the decision.
    pub at: Timestamp,
    /// How patient to be with carriers.
    pub patience: Patience,
}

impl Step {
    /// This step at a moment.
    pub fn at(self, at: Timestamp, patience: Patience) -> FulfilmentCommand {
        FulfilmentCommand {
            step: self,
            at,
            patience,
        }
    }
}

/// The rules of a fulfilment.
pub struct Fulfilments;

impl Decider for Fulfilments {
    const CATEGORY: &'static str = "fulfilment";
    type State = Fulfilment;
    type Command = FulfilmentCommand;
    type Event = FulfilmentEvent;

    fn decide(
        state: &Fulfilment,
        command: &FulfilmentCommand,
    ) -> Result<Vec<FulfilmentEvent>, Rejection> {
        let at = command.at;
        if let Step::Create(created) = &command.step {
            return Ok(match &state.created {
                None => vec![(**created).clone().into()],
                Some(_) => Vec::new(),
            });
        }
        let Some(created) = &state.created else {
            return Err(Rejection::not_found("fulfilment"));
        };
        let it = rules::At { state, created, at };
        match &command.step {
            Step::Create(_) => Ok(Vec::new()),
            Step::Split { into, moved } => it.split(into, moved),
            Step::Pack(packages) => it.pack(packages),
            Step::Ready => it.ready(),
            Step::RequestLabel { package, carrier } => labelling::request(&it, *package, carrier),
            Step::LabelAnswer { label, said } => {
                Ok(labelling::answered(&it, *label, said, command.patience))
            }
            Step::LabelDue(label) => Ok(labelling::due(&it, *label)),
            Step::VoidLabel(label) => labelling::void(&it, *label),
            Step::Ship {
                tracking,
                handed_over,
            } => it.ship(tracking, *handed_over),
            Step::Track(input) => it.track(input),
            Step::Cancel => Ok(it.cancel()),
        }
    }

    fn evolve(state: &mut Fulfilment, event: &FulfilmentEvent) {
        crate::fold::fold(state, event);
    }
}
