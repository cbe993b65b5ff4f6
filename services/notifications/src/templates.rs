//! Templates: built into the binary, in several languages; a shop may replace any of them by files
//! of the same name. One that does not work is reported, and the built-in one stands in for it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use contracts::notifications::{Channel, MessageKind, RenderedMessage};
use kernel::serde_json;
use minijinja::{Environment, Error, value::Serde};

use crate::{
    config::Config,
    engine::{BuiltIn, environment},
    samples,
};

/// The longest subject, characters.
const LONGEST_SUBJECT: usize = 200;
/// The language that every kind is written in.
pub const LAST_RESORT: &str = "en";

/// The templates of a shop.
pub struct Templates {
    built_in: Environment<'static>,
    own: Option<Environment<'static>>,
    /// Languages by kind.
    locales: BTreeMap<&'static str, BTreeSet<String>>,
    default: String,
    problems: Vec<(MessageKind, String)>,
}

/// A message, written.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// In this language.
    pub locale: String,
    /// So it reads.
    pub rendered: RenderedMessage,
    /// Why the shop's own template was not used.
    pub problem: Option<String>,
}

impl Templates {
    /// The built-in templates, and the shop's own over them, each tried with sample data.
    pub fn new(config: &Config) -> Self {
        let mut templates = Self {
            built_in: environment(None),
            own: config.templates.clone().map(|own| environment(Some(own))),
            locales: locales(config.templates.as_deref()),
            default: config.locale.clone(),
            problems: Vec::new(),
        };
        if templates.own.is_some() {
            templates.problems = templates.try_all();
        }
        for (_, problem) in &templates.problems {
            tracing::error!(%problem, "a template of this shop does not work; the built-in one stands in");
        }
        templates
    }

    fn try_all(&self) -> Vec<(MessageKind, String)> {
        let mut problems = Vec::new();
        for kind in MessageKind::ALL {
            for locale in self.locales(kind) {
                match self.sample(kind, Some(locale)) {
                    Ok(written) => problems.extend(written.problem.map(|p| (kind, p))),
                    Err(error) => problems.push((kind, told(kind, locale, &error))),
                }
            }
        }
        problems
    }

    /// The languages a kind is written in.
    pub fn locales(&self, kind: MessageKind) -> impl Iterator<Item = &String> {
        self.locales.get(kind.as_str()).into_iter().flatten()
    }

    /// What is wrong with the shop's own templates of a kind.
    pub fn problems(&self, kind: MessageKind) -> impl Iterator<Item = &String> {
        let of_kind = move |problem: &&(MessageKind, String)| problem.0 == kind;
        self.problems.iter().filter(of_kind).map(|(_, text)| text)
    }

    /// Writes a message of a kind in the language that comes nearest to the wanted one.
    pub fn write(
        &self,
        kind: MessageKind,
        channel: Channel,
        locale: Option<&str>,
        values: &serde_json::Value,
    ) -> Result<Written, Error> {
        let locale = self.nearest(kind, locale);
        let (rendered, problem) = match &self.own {
            None => (None, None),
            Some(own) => match fill(own, kind, channel, &locale, values) {
                Ok(rendered) => (Some(rendered), None),
                Err(error) => (None, Some(told(kind, &locale, &error))),
            },
        };
        if let Some(rendered) = rendered {
            return Ok(Written {
                locale,
                rendered,
                problem,
            });
        }
        // A language that only the shop itself has: the built-in ones do not.
        let locale = match BuiltIn::get(&name(kind, &locale, "body.txt")) {
            Some(_) => locale,
            None => LAST_RESORT.to_owned(),
        };
        let rendered = fill(&self.built_in, kind, channel, &locale, values)?;
        Ok(Written {
            locale,
            rendered,
            problem,
        })
    }

    /// A message of a kind with sample data.
    pub fn sample(&self, kind: MessageKind, locale: Option<&str>) -> Result<Written, Error> {
        self.write(kind, Channel::Email, locale, &samples::values(kind))
    }

    /// A page of the service itself.
    pub fn page(&self, name: &str, values: &serde_json::Value) -> Result<String, Error> {
        let template = self.built_in.get_template(&format!("pages/{name}"))?;
        template.render(Serde(values))
    }

    /// `de-AT`, else `de`, else the shop's language, else English. Only names of what there is are
    /// ever made into a path.
    pub fn nearest(&self, kind: MessageKind, wanted: Option<&str>) -> String {
        let wanted = wanted.unwrap_or_default();
        let primary = wanted.split(['-', '_']).next().unwrap_or_default();
        let known = self.locales.get(kind.as_str());
        [wanted, primary, &self.default]
            .into_iter()
            .find(|locale| known.is_some_and(|known| known.contains(*locale)))
            .unwrap_or(LAST_RESORT)
            .to_owned()
    }
}

/// What is wrong, for staff. Made of the template's name and place, never of a value.
fn told(kind: MessageKind, locale: &str, error: &Error) -> String {
    let place = error.name().unwrap_or("a template");
    let line = error.line().map_or(String::new(), |l| format!(":{l}"));
    let what = error.kind();
    format!("{} ({locale}): {place}{line}: {what}", kind.as_str())
}

fn name(kind: MessageKind, locale: &str, file: &str) -> String {
    format!("{}/{locale}/{file}", kind.as_str())
}

fn fill(
    environment: &Environment<'static>,
    kind: MessageKind,
    channel: Channel,
    locale: &str,
    values: &serde_json::Value,
) -> Result<RenderedMessage, Error> {
    let mut values = values.clone();
    values["locale"] = locale.into();
    let of = |file: &str| -> Result<String, Error> {
        let template = environment.get_template(&name(kind, locale, file))?;
        template.render(Serde(&values))
    };
    let subject = one_line(&of("subject.txt")?);
    if channel != Channel::Email {
        let link = values["links"]["main"].as_str().unwrap_or_default();
        let text = format!("{subject}\n{link}");
        return Ok(RenderedMessage {
            subject,
            text: text.trim_end().to_owned(),
            html: None,
        });
    }
    Ok(RenderedMessage {
        subject,
        text: squeezed(&of("body.txt")?),
        html: Some(of("body.html")?),
    })
}

/// A subject is one line: whatever would begin another header becomes a space.
fn one_line(text: &str) -> String {
    let spaced = text.replace(|c: char| c.is_control() || c.is_whitespace(), " ");
    let words: Vec<&str> = spaced.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST_SUBJECT).collect()
}

/// Without empty lines at the beginning and the end, and never more than one in between.
fn squeezed(text: &str) -> String {
    let mut squeezed = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.lines() {
        empty = if line.trim().is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            squeezed.push_str(line);
            squeezed.push('\n');
        }
    }
    format!("{}\n", squeezed.trim_matches('\n'))
}

/// The languages of each kind, by the folders there are.
fn locales(own: Option<&Path>) -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for kind in MessageKind::ALL {
        let prefix = format!("{}/", kind.as_str());
        let built_in = BuiltIn::iter().filter_map(|path| {
            let locale = path.strip_prefix(&prefix)?.strip_suffix("/body.txt")?;
            Some(locale.to_owned())
        });
        let mut found: BTreeSet<String> = built_in.collect();
        let folder = own.map(|own| own.join(kind.as_str()));
        let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok());
        for entry in entries.into_iter().flatten().flatten() {
            if entry.path().join("body.txt").is_file() {
                found.extend(entry.file_name().into_string());
            }
        }
        all.insert(kind.as_str(), found);
    }
    all
}

#[cfg(test)]
#[path = "templates_tests.rs"]
mod tests;
