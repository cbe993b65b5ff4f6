//! The read side: typed functions over the read models.

use contracts::identity::{
    UserId,
    api::{ApiKeyView, RoleView},
};
use kernel::{App, AppError, Row, sql};
use web::Page;

/// Ids of staff, `limit + 1` of them after the cursor.
pub async fn staff_ids(app: &App, page: &Page) -> Result<Vec<UserId>, AppError> {
    let after = page.after.as_deref().unwrap_or_default();
    let rows = app
        .query(sql!(
            "SELECT id FROM staff WHERE id > $1 ORDER BY id LIMIT $2",
            after,
            page.limit + 1
        ))
        .await?;
    rows.iter().map(|row| parsed(row, 0)).collect()
}

/// Roles by name, `limit + 1` of them after the cursor.
pub async fn roles(app: &App, page: &Page) -> Result<Vec<RoleView>, AppError> {
    let after = page.after.as_deref().unwrap_or_default();
    let rows = app
        .query(sql!(
            "SELECT name, description, permissions FROM roles
             WHERE name > $1 ORDER BY name LIMIT $2",
            after,
            page.limit + 1
        ))
        .await?;
    let view = |row: &Row| {
        Ok(RoleView {
            name: row.get(0),
            description: row.get(1),
            permissions: list(row, 2)?,
        })
    };
    rows.iter().map(view).collect()
}

/// API keys in the order they were made, `limit + 1` of them after the cursor.
pub async fn api_keys(app: &App, page: &Page) -> Result<Vec<ApiKeyView>, AppError> {
    let after = page.after.as_deref().unwrap_or_default();
    let rows = app
        .query(sql!(
            "SELECT id, name, permissions, created_at, expires_at, revoked FROM api_keys
             WHERE id > $1 ORDER BY id LIMIT $2",
            after,
            page.limit + 1
        ))
        .await?;
    let view = |row: &Row| {
        Ok(ApiKeyView {
            id: parsed(row, 0)?,
            name: row.get(1),
            permissions: list(row, 2)?,
            created_at: row.get(3),
            expires_at: row.get(4),
            revoked: row.get(5),
        })
    };
    rows.iter().map(view).collect()
}

fn parsed<T: std::str::FromStr>(row: &Row, column: usize) -> Result<T, AppError> {
    let text: String = row.get(column);
    let read = text.parse();
    read.map_err(|_| AppError::Internal("a read model holds an id of another kind".into()))
}

fn list(row: &Row, column: usize) -> Result<Vec<String>, AppError> {
    let text: String = row.get(column);
    serde_json::from_str(&text)
        .map_err(|_| AppError::Internal("a read model holds a malformed list".into()))
}
