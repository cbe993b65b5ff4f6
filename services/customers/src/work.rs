//! What this service's workers have in common.

use kernel::{AppError, Context, Recorded, WorkerError};

/// On behalf of an event.
pub fn caused_by(recorded: &Recorded) -> Context {
    Context {
        correlation: recorded.meta.correlation.clone(),
        causation: Some(recorded.id().into()),
        trace: recorded.meta.trace.clone(),
        actor: Some("system".into()),
    }
}

/// A refusal will be refused again; everything else may pass.
pub fn failed(error: AppError) -> WorkerError {
    match error {
        AppError::Rejected(rejection) => WorkerError::Poison(rejection.to_string()),
        other => WorkerError::Retry(other.to_string()),
    }
}
