//! The read model: a row per review, a product's rating, open reports. What people wrote is kept
//! as the events have it, sealed, and opened when it is read.

use contracts::reviews::{OpinionEvent, RatingEvent, ReviewEvent, ReviewStatus};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Raise the version whenever the schema or a statement changes.
pub fn projection() -> Projection {
    const TABLES: &[&str] = &["reviews", "product_ratings", "review_reports"];
    Projection::own("reviews", 1, TABLES, SCHEMA, apply)
}

const SCHEMA: &str = "CREATE TABLE reviews (
    id TEXT PRIMARY KEY NOT NULL,
    product_id TEXT NOT NULL,
    customer_id TEXT,
    rating BIGINT NOT NULL,
    status TEXT NOT NULL,
    verified BIGINT NOT NULL,
    edition BIGINT NOT NULL,
    source TEXT,
    content TEXT NOT NULL,
    reason TEXT,
    note TEXT,
    reply TEXT,
    helpful BIGINT NOT NULL,
    unhelpful BIGINT NOT NULL,
    reports BIGINT NOT NULL,
    written_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX reviews_newest ON reviews (product_id, status, written_at, id);
CREATE INDEX reviews_helpful ON reviews (product_id, status, helpful, id);
CREATE INDEX reviews_rating ON reviews (product_id, status, rating, id);
CREATE INDEX reviews_queue ON reviews (status, id);
CREATE INDEX reviews_customer ON reviews (customer_id, id) WHERE customer_id IS NOT NULL;
CREATE TABLE product_ratings (
    product_id TEXT PRIMARY KEY NOT NULL,
    histogram TEXT NOT NULL
);
CREATE TABLE review_reports (
    review_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (review_id, customer_id)
)";

/// The sealed fields of an event, as they stand in it.
#[derive(Deserialize)]
struct Sealed<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    note: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

fn sealed(event: &Recorded) -> Result<Sealed<'_>, DecodeError> {
    serde_json::from_str(&event.data).map_err(|_| DecodeError {
        kind: event.kind.to_string(),
        reason: "its sealed fields cannot be found".into(),
    })
}

fn text(field: Option<&RawValue>) -> Option<&str> {
    field.map(RawValue::get)
}

fn apply(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    if let Some(known) = event.decode::<ReviewEvent>()? {
        review(event, &known, out)?;
    } else if let Some(known) = event.decode::<RatingEvent>()? {
        let RatingEvent::Changed(changed) = &*known;
        let histogram = serde_json::json!(changed.histogram).to_string();
        out.push(sql!(
            "INSERT INTO product_ratings (product_id, histogram) VALUES ($1, $2)
             ON CONFLICT (product_id) DO UPDATE SET histogram = excluded.histogram",
            &changed.product_id,
            histogram
        ));
    } else if let Some(known) = event.decode::<OpinionEvent>()? {
        opinion(event, &known, out)?;
    }
    Ok(())
}

fn review(
    event: &Recorded,
    known: &ReviewEvent,
    out: &mut Vec<Statement>,
) -> Result<(), DecodeError> {
    match known {
        ReviewEvent::Submitted(new) => out.push(sql!(
            "INSERT INTO reviews (id, product_id, customer_id, rating, status, verified, edition,
               source, content, helpful, unhelpful, reports, written_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 0, 0, $10, $10)
             ON CONFLICT (id) DO UPDATE SET rating = excluded.rating, status = excluded.status,
               verified = excluded.verified, edition = excluded.edition,
               content = excluded.content, reason = NULL, note = NULL,
               written_at = CASE WHEN reviews.status = 'withdrawn' THEN excluded.written_at
                 ELSE reviews.written_at END,
               updated_at = excluded.updated_at",
            &new.review_id,
            &new.product_id,
            new.customer_id.as_ref().map(|id| id.as_str()),
            i64::from(new.rating),
            ReviewStatus::Pending.as_str(),
            new.verified,
            new.edition,
            new.source.as_deref(),
            text(sealed(event)?.content).unwrap_or_default(),
            new.at,
        )),
        ReviewEvent::Published(e) => {
            out.push(sql!(
                "UPDATE reviews SET status = $2, reason = NULL, note = NULL WHERE id = $1",
                &e.review_id,
                ReviewStatus::Published.as_str(),
            ));
            // A moderator looked at it: what was reported before is dealt with.
            if !e.automatic {
                out.extend(reports_done(e.review_id.as_str()));
            }
        }
        ReviewEvent::Rejected(e) => {
            out.push(sql!(
                "UPDATE reviews SET status = $2, reason = $3, note = $4 WHERE id = $1",
                &e.review_id,
                ReviewStatus::Rejected.as_str(),
                e.reason.as_str(),
                text(sealed(event)?.note),
            ));
            out.extend(reports_done(e.review_id.as_str()));
        }
        // The row stays for its votes: they are still there if it is written again.
        ReviewEvent::Withdrawn(e) => {
            out.push(sql!(
                "UPDATE reviews SET status = $2, content = '', reason = NULL, note = NULL,
                   reply = NULL WHERE id = $1",
                &e.review_id,
                ReviewStatus::Withdrawn.as_str(),
            ));
            out.extend(reports_done(e.review_id.as_str()));
        }
        ReviewEvent::Replied(e) => {
            out.push(replied(e.review_id.as_str(), text(sealed(event)?.text)))
        }
        ReviewEvent::ReplyRemoved(e) => out.push(replied(e.review_id.as_str(), None)),
    }
    Ok(())
}

fn replied(review: &str, text: Option<&str>) -> Statement {
    sql!("UPDATE reviews SET reply = $2 WHERE id = $1", review, text)
}

fn reports_done(review: &str) -> [Statement; 2] {
    [
        sql!("DELETE FROM review_reports WHERE review_id = $1", review),
        sql!("UPDATE reviews SET reports = 0 WHERE id = $1", review),
    ]
}

fn opinion(
    event: &Recorded,
    known: &OpinionEvent,
    out: &mut Vec<Statement>,
) -> Result<(), DecodeError> {
    match known {
        OpinionEvent::Voted(cast) => {
            let before = counts(cast.before);
            let now = counts(Some(cast.helpful));
            out.push(voted(cast.review_id.as_str(), before, now));
        }
        OpinionEvent::VoteWithdrawn(gone) => {
            let before = counts(Some(gone.before));
            out.push(voted(gone.review_id.as_str(), before, (0, 0)));
        }
        OpinionEvent::Reported(report) => {
            out.push(sql!(
                "INSERT INTO review_reports (review_id, customer_id, reason, note, at)
                 VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (review_id, customer_id) DO UPDATE SET reason = excluded.reason,
                   note = excluded.note, at = excluded.at",
                &report.review_id,
                &report.customer_id,
                report.reason.as_str(),
                text(sealed(event)?.note),
                report.at,
            ));
            out.push(sql!(
                "UPDATE reviews SET reports =
                   (SELECT COUNT(*) FROM review_reports WHERE review_id = $1) WHERE id = $1",
                &report.review_id
            ));
        }
    }
    Ok(())
}

/// (helpful, unhelpful) of one vote.
fn counts(vote: Option<bool>) -> (i64, i64) {
    (
        i64::from(vote == Some(true)),
        i64::from(vote == Some(false)),
    )
}

fn voted(review: &str, before: (i64, i64), now: (i64, i64)) -> Statement {
    sql!(
        "UPDATE reviews SET helpful = helpful + $2, unhelpful = unhelpful + $3 WHERE id = $1",
        review,
        now.0 - before.0,
        now.1 - before.1,
    )
}
