//! Categories: a tree of paths. A category's stream is named by its path, so there is one of each;
//! its path is for ever, its name may change.

use contracts::catalog::{
    Category, CategoryCreated, CategoryEvent, CategoryId, CategoryRenamed, is_handle, slug,
};
use kernel::{Command, Decider, Ids, Rejection, StreamId, UnitOfWork};
use serde::{Deserialize, Serialize};

/// Deepest path, in segments.
pub const MAX_DEPTH: usize = 6;
/// Longest segment, in bytes.
const MAX_SEGMENT: usize = 64;
/// Longest name, in characters.
const MAX_NAME: usize = 128;

/// The rules of one category.
pub struct CategoryRules;

/// The category, if it exists.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CategoryState {
    /// All of it.
    pub category: Option<Category>,
}

/// What can be asked of a category.
pub enum CategoryCommand {
    /// Make it unless it is there.
    Ensure(Category),
    /// Make it; refused if it is there.
    Create(Category),
    /// Give it another name.
    Rename(String),
}

impl Decider for CategoryRules {
    const CATEGORY: &'static str = "category";
    type State = CategoryState;
    type Command = CategoryCommand;
    type Event = CategoryEvent;

    fn decide(
        state: &CategoryState,
        command: &CategoryCommand,
    ) -> Result<Vec<CategoryEvent>, Rejection> {
        match (command, &state.category) {
            (CategoryCommand::Ensure(_), Some(_)) => Ok(vec![]),
            (CategoryCommand::Create(wanted), Some(_)) => Err(Rejection::conflict(
                "category-exists",
                format!("there is a category `{}` already", wanted.path),
            )
            .field("path")),
            (CategoryCommand::Ensure(category) | CategoryCommand::Create(category), None) => {
                check_name(&category.name)?;
                let category = category.clone();
                Ok(vec![CategoryCreated { category }.into()])
            }
            (CategoryCommand::Rename(_), None) => Err(Rejection::not_found("category")),
            (CategoryCommand::Rename(name), Some(category)) => {
                check_name(name)?;
                if category.name == *name {
                    return Ok(vec![]);
                }
                let category = Category {
                    name: name.clone(),
                    ..category.clone()
                };
                Ok(vec![CategoryRenamed { category }.into()])
            }
        }
    }

    fn evolve(state: &mut CategoryState, event: &CategoryEvent) {
        state.category = Some(match event {
            CategoryEvent::Created(created) => created.category.clone(),
            CategoryEvent::Renamed(renamed) => renamed.category.clone(),
        });
    }
}

fn check_name(name: &str) -> Result<(), Rejection> {
    let fits = !name.is_empty() && name.chars().count() <= MAX_NAME;
    match fits && !name.chars().any(char::is_control) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            "name",
            format!("must be 1 to {MAX_NAME} printable characters"),
        )),
    }
}

/// Reads a reference to a category, by path (`clothing/shirts`) or by names (`Clothing > Shirts`),
/// into itself and its ancestors, root first, with fresh ids for those that will have to be made.
pub fn line_of(text: &str, ids: &dyn Ids) -> Result<Vec<Category>, String> {
    let by_path: Vec<&str> = text.split('/').collect();
    let is_path = by_path.iter().all(|segment| is_handle(segment));
    let steps: Vec<(String, String)> = if is_path {
        let named = |segment: &&str| ((*segment).to_owned(), name_of(segment));
        by_path.iter().map(named).collect()
    } else {
        let names = text.split('>').map(str::trim);
        names.map(|name| (slug(name), name.to_owned())).collect()
    };
    if steps.len() > MAX_DEPTH {
        return Err(format!("is deeper than {MAX_DEPTH} categories"));
    }
    let mut line: Vec<Category> = Vec::with_capacity(steps.len());
    for (segment, name) in steps {
        if segment.is_empty() {
            return Err("each name needs a Latin letter or a digit".into());
        }
        if segment.len() > MAX_SEGMENT || check_name(&name).is_err() {
            return Err(format!("each name is at most {MAX_SEGMENT} characters"));
        }
        let path = match line.last() {
            Some(parent) => format!("{}/{segment}", parent.path),
            None => segment,
        };
        let id = CategoryId::generate(ids);
        line.push(Category { id, path, name });
    }
    Ok(line)
}

/// `table-lamps` → `Table lamps`.
fn name_of(segment: &str) -> String {
    let mut name = segment.replace('-', " ");
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

/// A path and all paths above it: `a/b/c` → `a`, `a/b`, `a/b/c`.
pub fn upwards(path: &str) -> impl Iterator<Item = &str> {
    let ends = path.match_indices('/').map(|(at, _)| at);
    ends.chain([path.len()]).map(|end| &path[..end])
}

/// Makes a category and those above it that are missing.
pub struct CreateCategory {
    /// Root first; the last is the one asked for.
    pub line: Vec<Category>,
}

impl Command for CreateCategory {
    type Output = Category;

    fn streams(&self) -> Vec<StreamId> {
        let stream = |category: &Category| StreamId::new(CategoryRules::CATEGORY, &category.path);
        self.line.iter().map(stream).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Category, Rejection> {
        let Some((wanted, above)) = self.line.split_last() else {
            return Err(Rejection::invalid("path", "must not be empty"));
        };
        for category in above {
            work.decide::<CategoryRules>(
                &category.path,
                &CategoryCommand::Ensure(category.clone()),
            )?;
        }
        work.decide::<CategoryRules>(&wanted.path, &CategoryCommand::Create(wanted.clone()))?;
        Ok(wanted.clone())
    }
}

#[cfg(test)]
mod tests {
    use kernel::{
        DeciderSpec,
        testing::{CountingIds, World, given, kinds},
    };

    use super::*;

    fn line(text: &str) -> Vec<(String, String)> {
        let line = line_of(text, &CountingIds::default()).unwrap();
        line.into_iter().map(|c| (c.path, c.name)).collect()
    }

    fn pair(a: &str, b: &str) -> (String, String) {
        (a.into(), b.into())
    }

    #[test]
    fn paths_and_names_say_the_same() {
        assert_eq!(
            line("home/table-lamps"),
            [
                pair("home", "Home"),
                pair("home/table-lamps", "Table lamps")
            ]
        );
        assert_eq!(
            line("Home > Table Lamps & More"),
            [
                pair("home", "Home"),
                pair("home/table-lamps-more", "Table Lamps & More")
            ]
        );
        assert_eq!(line("Tea / Coffee"), [pair("tea-coffee", "Tea / Coffee")]);
    }

    #[test]
    fn references_that_name_nothing_are_refused() {
        let ids = CountingIds::default();
        for bad in [
            "",
            ">",
            "A > > B",
            "茶",
            "a/b/c/d/e/f/g",
            &"x".repeat(65),
            "a\u{0}b >",
        ] {
            assert!(line_of(bad, &ids).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn upwards_goes_from_the_root_down() {
        assert_eq!(upwards("a/b/c").collect::<Vec<_>>(), ["a", "a/b", "a/b/c"]);
        assert_eq!(upwards("a").collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn creating_makes_the_missing_ancestors_and_refuses_a_second_one() {
        let mut world = World::new([DeciderSpec::of::<CategoryRules>()]);
        let ids = CountingIds::default();
        let create = |text| CreateCategory {
            line: line_of(text, &ids).unwrap(),
        };
        let (_, work) = world.run(&create("home/lamps")).unwrap();
        assert_eq!(kinds(&work), ["catalog.category.created.v1"; 2]);
        let (_, work) = world.run(&create("home/rugs")).unwrap();
        assert_eq!(kinds(&work), ["catalog.category.created.v1"]);
        let refused = world.run(&create("home/rugs")).map(|_| ()).unwrap_err();
        assert_eq!(refused.code, "category-exists");
    }

    #[test]
    fn a_rename_keeps_path_and_id() {
        let made = line_of("home", &CountingIds::default()).unwrap().remove(0);
        let mut home = given::<CategoryRules>([CategoryCreated {
            category: made.clone(),
        }
        .into()]);
        home.when(CategoryCommand::Rename("At home".into()))
            .unwrap();
        let now = home.state.category.clone().unwrap();
        assert_eq!((now.id, now.path), (made.id, made.path));
        assert_eq!(now.name, "At home");
        assert!(
            home.when(CategoryCommand::Rename("At home".into()))
                .unwrap()
                .is_empty()
        );
        assert!(home.when(CategoryCommand::Rename(" \n".into())).is_err());
        let mut none = given::<CategoryRules>([]);
        assert_eq!(
            none.when(CategoryCommand::Rename("x".into()))
                .unwrap_err()
                .code,
            "not-found"
        );
    }
}
