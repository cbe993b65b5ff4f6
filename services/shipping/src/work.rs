//! The worker: what is asked of carriers, and how their answers are recorded. It may run more than
//! once for an event; the key sent along is the fulfilment's id and the label's number, so there is
//! one label.

use std::sync::Arc;

use contracts::{
    address::Address,
    shipping::{FulfilmentEvent, FulfilmentId, LabelStatus},
};
use kernel::{App, AppError, Context, From, Personal, Recorded, Worker, WorkerError, with_keys};

use crate::{
    carrier::{Answer, BuyRequest, Shipment},
    fulfilment::{Fulfilment, Fulfilments, Label, Said, Step, label_key},
    on_fulfilment::OnFulfilment,
    patience::Patience,
    plan::{Plans, SHOP},
    registry::{Carriers, Guarded},
};

/// What the worker needs.
pub struct Work {
    /// Whom it can call.
    pub carriers: Carriers,
    /// How long it waits before asking again.
    pub patience: Patience,
}

/// The context of what an event leads to.
pub fn caused_by(recorded: &Recorded) -> Context {
    Context {
        correlation: recorded.meta.correlation.clone(),
        causation: Some(recorded.id().into()),
        trace: recorded.meta.trace.clone(),
        actor: Some("system".into()),
    }
}

/// Calls carriers for what was decided: from the first event on, since what was decided must be
/// done; what is done already is recognised by its state.
pub fn worker(work: Arc<Work>, concurrency: usize) -> Worker {
    Worker {
        name: "carriers",
        topics: &["shipping"],
        types: &[
            "shipping.label.requested.v1",
            "shipping.label.inquiry_due.v1",
            "shipping.label.void_requested.v1",
        ],
        from: From::Beginning,
        concurrency,
        perform: Arc::new(move |app, recorded| {
            let work = work.clone();
            Box::pin(async move { work.perform(&app, &recorded).await })
        }),
    }
}

impl Work {
    async fn perform(&self, app: &App, recorded: &Recorded) -> Result<(), WorkerError> {
        let event = with_keys(app.keys(), || recorded.decode::<FulfilmentEvent>())
            .map_err(|error| WorkerError::Poison(error.to_string()))?;
        let (id, number, ask_first) = match event.as_deref() {
            Some(FulfilmentEvent::LabelRequested(e)) => (&e.fulfilment_id, e.label, false),
            Some(FulfilmentEvent::LabelInquiryDue(e)) => (&e.fulfilment_id, e.label, true),
            Some(FulfilmentEvent::LabelVoidRequested(e)) => (&e.fulfilment_id, e.label, false),
            _ => return Ok(()),
        };
        let state = app.state::<Fulfilments>(id.as_str()).await.map_err(again)?;
        let fulfilment = state.state;
        let Some(label) = fulfilment.label(number).cloned() else {
            return Ok(());
        };
        let Some(carrier) = self.carriers.get(&label.carrier) else {
            return self.unknown_carrier(app, recorded, id, number).await;
        };
        let said = match label.status {
            LabelStatus::Requested | LabelStatus::Unknown => {
                let ask_first = ask_first || label.status == LabelStatus::Unknown;
                self.buy(app, carrier, &fulfilment, &label, id, ask_first)
                    .await?
            }
            LabelStatus::Voiding => void(carrier, &label).await,
            LabelStatus::Bought | LabelStatus::Failed | LabelStatus::Voided => return Ok(()),
        };
        self.record(app, recorded, id, number, said).await
    }

    /// A carrier that was taken out of the settings: nothing can be asked of it.
    async fn unknown_carrier(
        &self,
        app: &App,
        recorded: &Recorded,
        id: &FulfilmentId,
        number: i64,
    ) -> Result<(), WorkerError> {
        let said = Said::Refused("unknown_carrier".into());
        self.record(app, recorded, id, number, said).await
    }

    async fn buy(
        &self,
        app: &App,
        carrier: &Guarded,
        fulfilment: &Fulfilment,
        label: &Label,
        id: &FulfilmentId,
        ask_first: bool,
    ) -> Result<Said, WorkerError> {
        let key = label_key(id, label.number);
        if ask_first {
            match carrier.find(key.clone()).await {
                Answer::Done(None) => {} // It never heard of it: asked for again below.
                Answer::Done(Some(found)) if !found.voided => return Ok(made(found)),
                Answer::Done(Some(_)) => return Ok(Said::Refused("voided".into())),
                Answer::Refused(_) | Answer::Unknown(_) => return Ok(Said::Silent),
            }
        }
        let Some(recipient) = recipient(fulfilment) else {
            return Ok(Said::Refused("recipient_erased".into()));
        };
        let plan = app.state::<Plans>(SHOP).await.map_err(again)?.state;
        let request = BuyRequest {
            key,
            sender: plan.sender().cloned(),
            recipient,
            parcel: label.parcel.clone(),
        };
        Ok(match carrier.buy(request).await {
            Answer::Done(shipment) => made(shipment),
            Answer::Refused(code) => Said::Refused(code),
            Answer::Unknown(_) => Said::Silent,
        })
    }

    async fn record(
        &self,
        app: &App,
        recorded: &Recorded,
        id: &FulfilmentId,
        label: i64,
        said: Said,
    ) -> Result<(), WorkerError> {
        let command = OnFulfilment {
            id: id.clone(),
            step: Step::LabelAnswer { label, said },
            patience: self.patience,
        };
        let done = app.execute(&caused_by(recorded), command).await;
        done.map(drop).map_err(again)
    }
}

fn made(shipment: Shipment) -> Said {
    Said::Done {
        reference: shipment.reference,
        tracking: shipment.tracking,
    }
}

async fn void(carrier: &Guarded, label: &Label) -> Said {
    let Some(reference) = label.reference.clone() else {
        return Said::Refused("no_reference".into());
    };
    match carrier.void(reference).await {
        Answer::Done(()) => Said::Voided,
        Answer::Refused(code) => Said::Refused(code),
        Answer::Unknown(_) => Said::Silent,
    }
}

/// Where a fulfilment goes; `None` once the person was erased.
pub fn recipient(fulfilment: &Fulfilment) -> Option<Address> {
    let contact: &Personal<_> = &fulfilment.created.as_ref()?.recipient;
    contact
        .get()
        .map(|contact| contact.shipping_address.clone())
}

/// What the carrier answered could not be recorded. The call is made again with the same key.
fn again(error: AppError) -> WorkerError {
    match error {
        AppError::Rejected(rejection) => WorkerError::Poison(rejection.to_string()),
        other => WorkerError::Retry(other.to_string()),
    }
}
