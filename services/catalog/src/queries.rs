//! The read side: typed functions over read-only SQL.

use axum::body::Bytes;
use contracts::catalog::{CategoryListed, ProductStatus};
use kernel::{App, AppError, Row, Statement, Value, sql};

use crate::{cache::Rendered, commands::Key, views::status_name};

/// Most words of a search; further ones are ignored.
const MAX_WORDS: usize = 4;

/// One product, rendered.
pub async fn product(app: &App, key: &Key) -> Result<Option<Rendered>, AppError> {
    let statement = match key {
        Key::Id(id) => sql!("SELECT status, body FROM products WHERE id = $1", id),
        Key::Handle(handle) => {
            sql!(
                "SELECT status, body FROM products WHERE handle = $1",
                handle
            )
        }
    };
    let rows = app.query(statement).await?;
    Ok(rows.first().map(|row| Rendered {
        published: row.get::<String>(0) == status_name(ProductStatus::Published),
        body: Bytes::from(row.get::<String>(1)),
    }))
}

/// What a list of products is narrowed to.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these, or all.
    pub status: Option<ProductStatus>,
    /// In this category or below.
    pub category: Option<String>,
    /// With all these words somewhere.
    pub words: Vec<String>,
    /// After this id.
    pub after: String,
    /// At most so many.
    pub limit: i64,
}

/// A product in a list: its id and its JSON.
pub struct Listed {
    /// The id, by which lists are ordered: the order in which products were made.
    pub id: String,
    /// The JSON of the whole product.
    pub body: String,
}

/// Products in the order they were made.
pub async fn products(app: &App, filter: &Filter) -> Result<Vec<Listed>, AppError> {
    let rows = app.query(select(filter)).await?;
    let listed = |row: &Row| Listed {
        id: row.get(0),
        body: row.get(1),
    };
    Ok(rows.iter().map(listed).collect())
}

/// One of four constant statements: with and without a category, with and without words.
fn select(filter: &Filter) -> Statement {
    let mut args: Vec<Value> = vec![
        filter.after.as_str().into(),
        filter.status.map_or("", status_name).into(),
        filter.limit.into(),
    ];
    let mut patterns: Vec<Value> = filter.words.iter().map(|word| like(word).into()).collect();
    patterns.resize(MAX_WORDS, "%".into());
    match (&filter.category, filter.words.is_empty()) {
        (None, true) => Statement::new(
            "SELECT id, body FROM products \
             WHERE id > $1 AND ($2 = '' OR status = $2) ORDER BY id LIMIT $3",
            args,
        ),
        (Some(category), true) => {
            args.push(category.into());
            Statement::new(
                "SELECT c.id, p.body FROM product_categories c JOIN products p ON p.id = c.id \
                 WHERE c.category = $4 AND c.id > $1 AND ($2 = '' OR c.status = $2) ORDER BY c.id LIMIT $3",
                args,
            )
        }
        (None, false) => {
            args.extend(patterns);
            Statement::new(
                "SELECT l.id, p.body FROM product_listing l JOIN products p ON p.id = l.id \
                 WHERE l.id > $1 AND ($2 = '' OR l.status = $2) \
                 AND l.words LIKE $4 ESCAPE '!' AND l.words LIKE $5 ESCAPE '!' \
                 AND l.words LIKE $6 ESCAPE '!' AND l.words LIKE $7 ESCAPE '!' ORDER BY l.id LIMIT $3",
                args,
            )
        }
        (Some(category), false) => {
            args.extend(patterns);
            args.push(category.into());
            Statement::new(
                "SELECT c.id, p.body FROM product_categories c \
                 JOIN product_listing l ON l.id = c.id JOIN products p ON p.id = c.id \
                 WHERE c.category = $8 AND c.id > $1 AND ($2 = '' OR c.status = $2) \
                 AND l.words LIKE $4 ESCAPE '!' AND l.words LIKE $5 ESCAPE '!' \
                 AND l.words LIKE $6 ESCAPE '!' AND l.words LIKE $7 ESCAPE '!' ORDER BY c.id LIMIT $3",
                args,
            )
        }
    }
}

/// The words of a search, lower case.
pub fn search_words(q: &str) -> Vec<String> {
    let words = q.split_whitespace().take(MAX_WORDS);
    words.map(str::to_lowercase).collect()
}

/// A `LIKE` pattern for "contains `word`".
fn like(word: &str) -> String {
    let mut pattern = String::with_capacity(word.len() + 2);
    pattern.push('%');
    for letter in word.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// Categories by path, with how many published products are in each and below.
pub async fn categories(
    app: &App,
    after: &str,
    limit: i64,
) -> Result<Vec<CategoryListed>, AppError> {
    let rows = app
        .query(sql!(
            "SELECT k.path, k.id, k.name, (SELECT COUNT(*) FROM product_categories c \
             WHERE c.category = k.path AND c.status = 'published') \
             FROM categories k WHERE k.path > $1 ORDER BY k.path LIMIT $2",
            after,
            limit
        ))
        .await?;
    let listed = |row: &Row| {
        let path: String = row.get(0);
        Some(CategoryListed {
            id: row.get::<String>(1).parse().ok()?,
            parent: path.rsplit_once('/').map(|(parent, _)| parent.to_owned()),
            name: row.get(2),
            products: row.get(3),
            path,
        })
    };
    Ok(rows.iter().filter_map(listed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_for_what_was_written() {
        assert_eq!(search_words("  Red LAMP a b c "), ["red", "lamp", "a", "b"]);
        assert_eq!(like("50%_!"), "%50!%!_!!%");
    }
}
