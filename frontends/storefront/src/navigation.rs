//! The categories in every page's header. They change seldom and every page shows them, so they are
//! remembered for a while; without the catalogue the last known ones are shown.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use crate::{links, visit::Visit};

/// How long the categories are taken as known.
const FRESH: Duration = Duration::from_secs(30);
/// How soon a catalogue that did not answer is asked again.
const RETRY: Duration = Duration::from_secs(5);
/// More do not fit a header.
const MOST: usize = 12;

/// A category of the catalogue.
#[derive(Clone, Debug, Deserialize)]
pub struct Category {
    /// From the root, such as `home/kitchen`.
    pub path: String,
    /// Its name, if it has one of its own.
    #[serde(default, alias = "name")]
    pub title: String,
}

/// A category as a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Its name.
    pub title: String,
    /// Its page.
    pub url: String,
    /// From the root.
    pub path: String,
}

impl Section {
    /// The link to a category.
    pub fn of(category: &Category) -> Self {
        let title = match category.title.trim() {
            "" => title_of(&category.path),
            title => title.to_owned(),
        };
        Self {
            title,
            url: links::category(&category.path),
            path: category.path.clone(),
        }
    }
}

/// A readable name of a category known by its path alone: `home/tea-pots` → `Tea pots`.
pub fn title_of(path: &str) -> String {
    let last = path
        .rsplit('/')
        .find(|step| !step.is_empty())
        .unwrap_or(path);
    let words = last.replace(['-', '_'], " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// The remembered categories.
#[derive(Default)]
pub struct Navigation {
    known: Mutex<Option<Known>>,
}

struct Known {
    categories: Vec<Category>,
    until: Instant,
}

/// All categories: fresh ones, or the last known when the catalogue does not answer.
pub async fn categories(visit: &Visit) -> Vec<Category> {
    let navigation = &visit.shop.navigation;
    if let Ok(known) = navigation.known.lock()
        && let Some(known) = known.as_ref()
        && Instant::now() < known.until
    {
        return known.categories.clone();
    }
    let asked = visit
        .get("catalog", "/api/catalog/categories?limit=200")
        .read::<contracts::List<Category>>()
        .await;
    let Ok(mut known) = navigation.known.lock() else {
        return Vec::new();
    };
    let now = Instant::now();
    let (categories, until) = match asked {
        Ok(list) => (list.items, now + FRESH),
        Err(_) => {
            let last = known.take().map(|known| known.categories);
            (last.unwrap_or_default(), now + RETRY)
        }
    };
    *known = Some(Known {
        categories: categories.clone(),
        until,
    });
    categories
}

/// The categories at the root, for the header.
pub fn roots(categories: &[Category]) -> Vec<Section> {
    let roots = categories.iter().filter(|c| !c.path.contains('/'));
    roots.take(MOST).map(Section::of).collect()
}

/// The categories directly below `path`.
pub fn below(categories: &[Category], path: &str) -> Vec<Section> {
    let inside = |category: &&Category| {
        let rest = category.path.strip_prefix(path);
        let rest = rest.and_then(|rest| rest.strip_prefix('/'));
        rest.is_some_and(|rest| !rest.is_empty() && !rest.contains('/'))
    };
    categories.iter().filter(inside).map(Section::of).collect()
}

/// The way from the root to `path`, itself included.
pub fn trail(categories: &[Category], path: &str) -> Vec<Section> {
    let mut trail = Vec::new();
    let mut so_far = String::new();
    for step in path.split('/').filter(|step| !step.is_empty()) {
        if !so_far.is_empty() {
            so_far.push('/');
        }
        so_far.push_str(step);
        let known = categories.iter().find(|category| category.path == so_far);
        trail.push(Section::of(known.unwrap_or(&Category {
            path: so_far.clone(),
            title: String::new(),
        })));
    }
    trail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn categories() -> Vec<Category> {
        [
            ("home", ""),
            ("home/tea-pots", ""),
            ("home/tea-pots/iron", ""),
            ("art", "Fine art"),
            ("homestead/x", ""),
        ]
        .map(|(path, title)| Category {
            path: path.into(),
            title: title.into(),
        })
        .into()
    }

    fn titles(sections: &[Section]) -> Vec<&str> {
        sections
            .iter()
            .map(|section| section.title.as_str())
            .collect()
    }

    #[test]
    fn categories_are_found_by_their_place() {
        let all = categories();
        assert_eq!(titles(&roots(&all)), ["Home", "Fine art"]);
        assert_eq!(titles(&below(&all, "home")), ["Tea pots"]);
        assert_eq!(
            titles(&trail(&all, "home/tea-pots/iron")),
            ["Home", "Tea pots", "Iron"]
        );
        assert_eq!(trail(&all, "home/tea-pots")[1].url, "/c/home/tea-pots");
    }
}
