//! The read side: statements over the read models, and what their rows mean.

use contracts::{
    catalog::ProductId,
    identity::CustomerId,
    reviews::{
        Objection, ReviewId, ReviewStatus,
        api::{RatingView, ReportView, ReviewView},
    },
};
use kernel::{App, AppError, Row, Statement, sql};

use crate::{
    rating::average_hundredths,
    render::{Eyes, open, view},
};

/// Whether the catalogue has the product.
pub async fn has_product(app: &App, product: &ProductId) -> Result<bool, AppError> {
    let known = "SELECT id FROM products WHERE id = $1 AND deleted = 0";
    Ok(!app.query(sql!(known, product)).await?.is_empty())
}

/// Whether the customer has bought the product. A SKU that has left the product counts until
/// another product has it.
pub async fn has_bought(
    app: &App,
    customer: &CustomerId,
    product: &ProductId,
) -> Result<bool, AppError> {
    let statement = sql!(
        "SELECT p.order_id FROM product_skus s JOIN purchases p ON p.sku = s.sku
         WHERE s.product_id = $1 AND p.customer_id = $2 AND p.confirmed = 1
           AND (s.present = 1 OR NOT EXISTS
             (SELECT 1 FROM product_skus o WHERE o.sku = s.sku AND o.present = 1))
         LIMIT 1",
        product,
        customer
    );
    Ok(!app.query(statement).await?.is_empty())
}

/// A product's rating.
pub async fn rating(app: &App, product: &ProductId) -> Result<RatingView, AppError> {
    let statement = sql!(
        "SELECT histogram FROM product_ratings WHERE product_id = $1",
        product
    );
    let rows = app.query(statement).await?;
    let read = |row: &Row| serde_json::from_str(&row.get::<String>(0)).ok();
    let histogram: [i64; 5] = rows.first().and_then(read).unwrap_or_default();
    let rating = crate::rating::State { histogram };
    let (count, sum) = (rating.count(), rating.sum());
    Ok(RatingView {
        product_id: product.clone(),
        count,
        sum,
        average_hundredths: average_hundredths(sum, count),
        histogram,
    })
}

/// The order of a product's reviews.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// What helped most first.
    Helpful,
    /// The best first.
    RatingHigh,
    /// The worst first.
    RatingLow,
}

impl Sort {
    fn key(self, view: &ReviewView) -> i64 {
        match self {
            Self::Newest => view.written_at.0,
            Self::Helpful => view.helpful,
            Self::RatingHigh | Self::RatingLow => i64::from(view.rating),
        }
    }
}

/// Where a page of a product's reviews ended.
pub fn cursor(sort: Sort, view: &ReviewView) -> String {
    format!("{} {}", sort.key(view), view.id)
}

/// Reads a [`cursor`].
pub fn parse_cursor(text: &str) -> Option<(i64, String)> {
    let (key, id) = text.split_once(' ')?;
    Some((key.parse().ok()?, id.to_owned()))
}

/// Which of a product's published reviews are wanted.
pub struct Filter {
    /// Of what.
    pub product: ProductId,
    /// In which order.
    pub sort: Sort,
    /// With this rating, or any.
    pub rating: Option<u8>,
    /// Of buyers only.
    pub verified: bool,
    /// After this key and id.
    pub after: Option<(i64, String)>,
    /// At most so many.
    pub limit: i64,
}

/// Published reviews of a product that is not deleted.
pub async fn published(app: &App, filter: &Filter) -> Result<Vec<ReviewView>, AppError> {
    let first = match filter.sort {
        Sort::RatingLow => i64::MIN,
        _ => i64::MAX,
    };
    let (key, id) = filter.after.clone().unwrap_or((first, String::new()));
    let ratings = filter.rating.map_or((1, 5), |rating| (rating, rating));
    let arguments = [
        (&filter.product).into(),
        key.into(),
        id.into(),
        i64::from(ratings.0).into(),
        i64::from(ratings.1).into(),
        filter.verified.into(),
        filter.limit.into(),
    ];
    let text = match filter.sort {
        Sort::Newest => {
            "SELECT r.id, r.product_id, r.customer_id, r.rating, r.status, r.verified, r.edition,
               r.source, r.content, r.reason, r.note, r.reply, r.helpful, r.unhelpful, r.reports,
               r.written_at, r.updated_at
             FROM reviews r JOIN products p ON p.id = r.product_id AND p.deleted = 0
             WHERE r.product_id = $1 AND r.status = 'published'
               AND (r.written_at < $2 OR (r.written_at = $2 AND r.id < $3))
               AND r.rating >= $4 AND r.rating <= $5 AND r.verified >= $6
             ORDER BY r.written_at DESC, r.id DESC LIMIT $7"
        }
        Sort::Helpful => {
            "SELECT r.id, r.product_id, r.customer_id, r.rating, r.status, r.verified, r.edition,
               r.source, r.content, r.reason, r.note, r.reply, r.helpful, r.unhelpful, r.reports,
               r.written_at, r.updated_at
             FROM reviews r JOIN products p ON p.id = r.product_id AND p.deleted = 0
             WHERE r.product_id = $1 AND r.status = 'published'
               AND (r.helpful < $2 OR (r.helpful = $2 AND r.id < $3))
               AND r.rating >= $4 AND r.rating <= $5 AND r.verified >= $6
             ORDER BY r.helpful DESC, r.id DESC LIMIT $7"
        }
        Sort::RatingHigh => {
            "SELECT r.id, r.product_id, r.customer_id, r.rating, r.status, r.verified, r.edition,
               r.source, r.content, r.reason, r.note, r.reply, r.helpful, r.unhelpful, r.reports,
               r.written_at, r.updated_at
             FROM reviews r JOIN products p ON p.id = r.product_id AND p.deleted = 0
             WHERE r.product_id = $1 AND r.status = 'published'
               AND (r.rating < $2 OR (r.rating = $2 AND r.id < $3))
               AND r.rating >= $4 AND r.rating <= $5 AND r.verified >= $6
             ORDER BY r.rating DESC, r.id DESC LIMIT $7"
        }
        Sort::RatingLow => {
            "SELECT r.id, r.product_id, r.customer_id, r.rating, r.status, r.verified, r.edition,
               r.source, r.content, r.reason, r.note, r.reply, r.helpful, r.unhelpful, r.reports,
               r.written_at, r.updated_at
             FROM reviews r JOIN products p ON p.id = r.product_id AND p.deleted = 0
             WHERE r.product_id = $1 AND r.status = 'published'
               AND (r.rating > $2 OR (r.rating = $2 AND r.id < $3))
               AND r.rating >= $4 AND r.rating <= $5 AND r.verified >= $6
             ORDER BY r.rating, r.id DESC LIMIT $7"
        }
    };
    list(app, Statement::new(text, arguments), Eyes::Everyone).await
}

/// A customer's own, whatever became of them; by id.
pub async fn of_customer(
    app: &App,
    customer: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<ReviewView>, AppError> {
    let statement = sql!(
        "SELECT r.id, r.product_id, r.customer_id, r.rating, r.status, r.verified, r.edition,
           r.source, r.content, r.reason, r.note, r.reply, r.helpful, r.unhelpful, r.reports,
           r.written_at, r.updated_at
         FROM reviews r
         WHERE r.customer_id = $1 AND r.id > $2 AND r.status <> 'withdrawn'
         ORDER BY r.id LIMIT $3",
        customer,
        after,
        limit
    );
    list(app, statement, Eyes::Author).await
}

/// What a moderator looks for.
pub struct Queue {
    /// In this state.
    pub status: ReviewStatus,
    /// Reported at least so often.
    pub reports: i64,
    /// After this id.
    pub after: String,
    /// At most so many.
    pub limit: i64,
}

/// Reviews of products that are not deleted, for moderators; by id.
pub async fn queue(app: &App, queue: &Queue) -> Result<Vec<ReviewView>, AppError> {
    let statement = sql!(
        "SELECT r.id, r.product_id, r.customer_id, r.rating, r.status, r.verified, r.edition,
           r.source, r.content, r.reason, r.note, r.reply, r.helpful, r.unhelpful, r.reports,
           r.written_at, r.updated_at
         FROM reviews r JOIN products p ON p.id = r.product_id AND p.deleted = 0
         WHERE r.status = $1 AND r.reports >= $2 AND r.id > $3 ORDER BY r.id LIMIT $4",
        queue.status.as_str(),
        queue.reports,
        &queue.after,
        queue.limit
    );
    list(app, statement, Eyes::Staff).await
}

/// One review that is not withdrawn, with its author, and whether its product is still there.
pub async fn review(app: &App, id: &ReviewId) -> Result<Option<Found>, AppError> {
    let statement = sql!(
        "SELECT r.id, r.product_id, r.customer_id, r.rating, r.status, r.verified, r.edition,
           r.source, r.content, r.reason, r.note, r.reply, r.helpful, r.unhelpful, r.reports,
           r.written_at, r.updated_at, p.id
         FROM reviews r LEFT JOIN products p ON p.id = r.product_id AND p.deleted = 0
         WHERE r.id = $1 AND r.status <> 'withdrawn'",
        id
    );
    let rows = app.query(statement).await?;
    Ok(rows.first().and_then(|row| {
        Some(Found {
            customer: row.get(2),
            product: row.get::<String>(1).parse().ok()?,
            shown: row.get::<String>(4) == ReviewStatus::Published.as_str()
                && row.get::<Option<String>>(17).is_some(),
            row: row.clone(),
        })
    }))
}

/// A review that was looked up.
pub struct Found {
    /// Its author.
    pub customer: Option<String>,
    /// Of what.
    pub product: ProductId,
    /// Whether everyone may see it.
    pub shown: bool,
    row: Row,
}

impl Found {
    /// As `eyes` may see it.
    pub fn view(&self, app: &App, eyes: Eyes) -> Option<ReviewView> {
        view(app, &self.row, eyes)
    }
}

/// Open reports of a review, the oldest first.
pub async fn reports(app: &App, id: &ReviewId) -> Result<Vec<ReportView>, AppError> {
    let statement = sql!(
        "SELECT customer_id, reason, note, at FROM review_reports
         WHERE review_id = $1 ORDER BY at, customer_id LIMIT 200",
        id
    );
    let rows = app.query(statement).await?;
    let read = |row: &Row| {
        Some(ReportView {
            customer_id: row.get::<String>(0).parse().ok()?,
            reason: Objection::parse(&row.get::<String>(1))?,
            note: open(app, row.get(2)),
            at: row.get(3),
        })
    };
    Ok(rows.iter().filter_map(read).collect())
}

async fn list(app: &App, statement: Statement, eyes: Eyes) -> Result<Vec<ReviewView>, AppError> {
    let rows = app.query(statement).await?;
    Ok(rows.iter().filter_map(|row| view(app, row, eyes)).collect())
}
