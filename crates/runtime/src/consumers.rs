//! Starting what listens: subscriptions, workers, and what connects with the outside of Souk.

use kernel::{App, AppError, Module, Projection, Subscription, Worker};
use tokio::sync::{mpsc, watch};

use crate::{
    Runtime,
    consumer::{Control, Handle, Stand, Standing, Surround, persist},
    inbound,
    opening::subscriptions,
    relay,
    start::Among,
    subscription, worker,
};

impl Runtime {
    /// What connects the service with the outside of Souk.
    pub(crate) fn start_outside(&mut self, around: &Surround, module: &Module, among: &Among) {
        if among.patient {
            self.consumers.spawn(relay::run(around.clone()));
        }
        if let Some(broker) = among.broker.clone().filter(|_| !module.inbound.is_empty()) {
            let runner = inbound::Runner {
                around: around.clone(),
                broker,
                handlers: inbound::by_kind(&module.inbound),
            };
            self.consumers.spawn(runner.run());
        }
    }

    /// Starts subscriptions, what feeds projections of others' events, and workers.
    pub(crate) async fn start_consumers(
        &mut self,
        around: &Surround,
        app: &App,
        module: &Module,
        among: &Among,
    ) -> Result<Vec<Handle>, AppError> {
        let mut handles = Vec::new();
        for (subscription, projection) in subscriptions(module) {
            for topic in subscription.topics {
                let (one, feeds) = (subscription.clone(), projection.clone());
                let handle = self.start_subscription(around, one, feeds, topic, among.patient);
                handles.push(handle.await?);
            }
        }
        for spec in &module.workers {
            for topic in spec.topics {
                let handle = self.start_worker(around, app, spec, topic, among.patient);
                handles.push(handle.await?);
            }
        }
        Ok(handles)
    }

    async fn start_subscription(
        &mut self,
        around: &Surround,
        subscription: Subscription,
        projection: Option<Projection>,
        topic: &'static str,
        patient: bool,
    ) -> Result<Handle, AppError> {
        let (handle, control, stand) = self.handle(around, subscription.name, topic);
        let prepare = {
            let around = around.clone();
            move || {
                let (one, feeds) = (subscription.clone(), projection.clone());
                subscription::Runner::prepare(around.clone(), one, feeds, topic)
            }
        };
        let runs = subscription::Runner::run;
        self.start_runner(around, prepare, runs, (control, stand), patient)
            .await?;
        Ok(handle)
    }

    async fn start_worker(
        &mut self,
        around: &Surround,
        app: &App,
        spec: &Worker,
        topic: &'static str,
        patient: bool,
    ) -> Result<Handle, AppError> {
        let (handle, control, stand) = self.handle(around, spec.name, topic);
        // A worker's backlog is outside work: it does not keep the shop from being ready.
        self.waiting.pop();
        let prepare = {
            let (around, app, spec) = (around.clone(), app.clone(), spec.clone());
            move || worker::Runner::prepare(around.clone(), app.clone(), spec.clone(), topic)
        };
        self.start_runner(
            around,
            prepare,
            worker::Runner::run,
            (control, stand),
            patient,
        )
        .await?;
        Ok(handle)
    }

    /// Starts what `prepare` makes: at once or not at all, or, where others may have to come up
    /// first, as soon as it can be made.
    async fn start_runner<R, P, F>(
        &mut self,
        around: &Surround,
        mut prepare: impl FnMut() -> P + Send + 'static,
        run: impl FnOnce(R, mpsc::Receiver<Control>, Stand) -> F + Send + 'static,
        (control, stand): (mpsc::Receiver<Control>, Stand),
        patient: bool,
    ) -> Result<(), AppError>
    where
        R: Send + 'static,
        P: Future<Output = Result<R, AppError>> + Send,
        F: Future<Output = ()> + Send + 'static,
    {
        if !patient {
            let runner = prepare().await?;
            self.consumers.spawn(run(runner, control, stand));
            return Ok(());
        }
        let around = around.clone();
        self.consumers.spawn(async move {
            if let Some(runner) = persist(&around, &stand, prepare).await {
                run(runner, control, stand).await;
            }
        });
        Ok(())
    }

    fn handle(
        &mut self,
        around: &Surround,
        name: &str,
        topic: &str,
    ) -> (Handle, mpsc::Receiver<Control>, Stand) {
        let (control, orders) = mpsc::channel(4);
        let (stand, standing) = watch::channel(Standing::Behind);
        let label = format!("{}: {name} has caught up with {topic}", around.shared.topic);
        self.waiting.push((label, standing.clone()));
        let handle = Handle {
            name: name.into(),
            topic: topic.into(),
            control,
            standing,
        };
        (handle, orders, stand)
    }
}
