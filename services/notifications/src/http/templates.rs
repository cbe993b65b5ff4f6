//! Templates, for staff.

use axum::{Json as Answer, extract::State};
use contracts::notifications::{MessageKind, PreviewRequest, TemplatePreview, TemplateSet};
use kernel::{App, Rejection};
use web::{Json, Path, Problem};

use super::Common;

/// `GET /api/notifications/templates`
pub async fn list(State(_): State<App>, shared: Common) -> Answer<Vec<TemplateSet>> {
    let set = |kind: MessageKind| TemplateSet {
        kind,
        class: kind.class(),
        locales: shared.templates.locales(kind).cloned().collect(),
        problems: shared.templates.problems(kind).cloned().collect(),
    };
    Answer(MessageKind::ALL.into_iter().map(set).collect())
}

/// `POST /api/notifications/templates/{kind}/preview`
pub async fn preview(
    State(_): State<App>,
    shared: Common,
    Path(kind): Path<String>,
    Json { value, .. }: Json<PreviewRequest>,
) -> Result<Answer<TemplatePreview>, Problem> {
    let kind = MessageKind::parse(&kind).ok_or_else(|| Rejection::not_found("kind of message"))?;
    let written = shared.templates.sample(kind, value.locale.as_deref());
    let written = written.map_err(super::unsubscribe::broken)?;
    Ok(Answer(TemplatePreview {
        locale: written.locale,
        rendered: written.rendered,
        problem: written.problem,
    }))
}
