//! `/api/ops`: what operators see and do in a running shop.

use std::sync::Arc;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use kernel::Recorded;
use runtime::{Ops, OpsError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Access, Path, Problem, Query, Routes};

const READ: Access = Access::Permission("ops:read");
const WRITE: Access = Access::Permission("ops:write");

/// An event as operators see it: personal fields stay sealed.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// `topic:position`.
    pub id: String,
    /// The service that published it.
    pub topic: String,
    /// Place in that service's log.
    pub position: i64,
    /// Partition.
    pub partition: u16,
    /// Its stream.
    pub stream: String,
    /// Its number in the stream.
    pub version: i64,
    /// Versioned type.
    pub kind: String,
    /// Microseconds UTC.
    pub at: i64,
    /// Shared by everything one request set off.
    pub correlation: String,
    /// The event that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<String>,
    /// W3C traceparent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Payload.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
}

impl EventView {
    fn of(event: &Recorded) -> Self {
        let text = |part: &Option<Arc<str>>| part.as_ref().map(|text| text.to_string());
        Self {
            id: event.id(),
            topic: event.topic.to_string(),
            position: event.position,
            partition: event.partition,
            stream: event.stream.to_string(),
            version: event.version,
            kind: event.kind.to_string(),
            at: event.at.0,
            correlation: event.meta.correlation.to_string(),
            causation: text(&event.meta.causation),
            trace: text(&event.meta.trace),
            actor: text(&event.meta.actor),
            data: serde_json::from_str(&event.data).unwrap_or_default(),
        }
    }
}

/// Events behind a position.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct EventPage {
    /// Oldest first.
    pub items: Vec<EventView>,
    /// The position of the newest event there is.
    pub head: i64,
}

/// An order to handle dead letters again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Redrive {
    /// The service that parked them.
    pub service: String,
    /// Only this subscription's.
    #[serde(default)]
    pub subscription: Option<String>,
}

/// How many were handled.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct Redriven {
    /// Dead letters that are done now.
    pub redriven: u64,
}

/// A read model.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ProjectionView {
    /// Its service.
    pub service: String,
    /// Its name.
    pub projection: String,
}

#[derive(Deserialize)]
struct EventQuery {
    after: Option<i64>,
    limit: Option<usize>,
}

fn problem(error: OpsError) -> Response {
    match error {
        OpsError::Unknown(_) => {
            Problem::new(StatusCode::NOT_FOUND, "not-found", error.to_string()).into_response()
        }
        OpsError::Failed(error) => Problem::from(error).into_response(),
    }
}

fn answer<T: Serialize>(result: Result<T, OpsError>) -> Response {
    match result {
        Ok(value) => axum::Json(value).into_response(),
        Err(error) => problem(error),
    }
}

/// The table of routes.
pub fn routes(ops: Ops) -> Routes {
    let routes = event_routes(Routes::new(), &ops);
    let routes = letter_routes(routes, &ops);
    projection_routes(routes, &ops)
}

fn event_routes(routes: Routes, ops: &Ops) -> Routes {
    let (events, topics) = (ops.clone(), ops.clone());
    routes
        .get(
            "/api/ops/topics",
            READ,
            async move || axum::Json(topics.services()),
            |d| {
                d.summary("The services that publish events")
                    .answer::<Vec<String>>(200, "Names")
            },
        )
        .get(
            "/api/ops/events/{topic}",
            READ,
            async move |Path(topic): Path<String>, Query(query): Query<EventQuery>| {
                answer(page(&events, &topic, &query).await)
            },
            |d| {
                d.summary("Events of a service, behind a position")
                    .query("after", "a position; the newest event unless given")
                    .query("limit", "1 to 500, 100 unless given")
                    .answer::<EventPage>(200, "Events")
            },
        )
}

async fn page(ops: &Ops, topic: &str, query: &EventQuery) -> Result<EventPage, OpsError> {
    let head = ops.head(topic)?;
    let limit = query.limit.unwrap_or(100).clamp(1, 500);
    let events = ops
        .events(topic, query.after.unwrap_or(head - 1).max(0), limit)
        .await?;
    Ok(EventPage {
        items: events.iter().map(|event| EventView::of(event)).collect(),
        head,
    })
}

fn letter_routes(routes: Routes, ops: &Ops) -> Routes {
    let (list, redrive) = (ops.clone(), ops.clone());
    routes
        .get(
            "/api/ops/dead-letters",
            READ,
            async move || answer(list.dead_letters().await),
            |d| {
                d.summary("Events that could not be handled")
                    .answer::<Vec<String>>(200, "Dead letters, oldest first")
            },
        )
        .post(
            "/api/ops/dead-letters/redrive",
            WRITE,
            async move |body: web::Json<Redrive>| {
                let asked = body.value;
                let done = redrive
                    .redrive(&asked.service, asked.subscription.as_deref())
                    .await;
                answer(done.map(|redriven| Redriven { redriven }))
            },
            |d| {
                d.summary("Handle dead letters again, in order")
                    .body::<Redrive>()
                    .answer::<Redriven>(200, "How many")
            },
        )
}

fn projection_routes(routes: Routes, ops: &Ops) -> Routes {
    let (list, rebuild) = (ops.clone(), ops.clone());
    routes
        .get(
            "/api/ops/projections",
            READ,
            async move || {
                let mut all = Vec::new();
                for service in list.services() {
                    for projection in list.projections(service).unwrap_or_default() {
                        all.push(ProjectionView {
                            service: service.into(),
                            projection: projection.into(),
                        });
                    }
                }
                axum::Json(all)
            },
            |d| {
                d.summary("The read models")
                    .answer::<Vec<ProjectionView>>(200, "Read models")
            },
        )
        .post(
            "/api/ops/projections/{service}/{projection}/rebuild",
            WRITE,
            async move |Path((service, projection)): Path<(String, String)>| match rebuild
                .rebuild(&service, &projection)
                .await
            {
                Ok(()) => StatusCode::NO_CONTENT.into_response(),
                Err(error) => problem(error),
            },
            |d| {
                d.summary("Build a read model anew from the log")
                    .description("The old one answers meanwhile.")
                    .answer_empty(204, "It is live")
            },
        )
}
