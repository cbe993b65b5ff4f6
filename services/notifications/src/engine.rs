//! The template engine: where templates come from, and how values are printed in them.

use std::path::PathBuf;

use kernel::{Money, Timestamp, serde_json};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, HtmlEscape, Output, State, UndefinedBehavior, Value,
    syntax::SyntaxConfig,
};
use rust_embed::RustEmbed;
use serde::Deserialize;

use crate::{format, templates::LAST_RESORT};

/// The templates built into the binary.
#[derive(RustEmbed)]
#[folder = "templates"]
pub struct BuiltIn;

/// The templates built in, or under those of the shop's own folder.
pub fn environment(own: Option<PathBuf>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_syntax(tidy());
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    environment.set_formatter(escaped);
    // A field that is misspelt in a template is found when it is tried, not by a reader.
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_reload(cfg!(debug_assertions));
    let own = own.map(minijinja::path_loader);
    environment.set_loader(move |name| {
        let replaced = match &own {
            Some(own) => own(name)?.map(|source| source.source().to_owned()),
            None => None,
        };
        let built_in = || {
            let file = BuiltIn::get(name)?;
            String::from_utf8(file.data.into_owned()).ok()
        };
        Ok(replaced.or_else(built_in))
    });
    environment.add_filter("money", |state: &State, value: Value| {
        let amount: Money = read(&value)?;
        Ok::<_, Error>(format::money(&locale(state), amount))
    });
    environment.add_filter("date", |state: &State, value: Value| {
        let at: Timestamp = read(&value)?;
        Ok::<_, Error>(format::date(&locale(state), at))
    });
    environment.add_filter("moment", |state: &State, value: Value| {
        let at: Timestamp = read(&value)?;
        Ok::<_, Error>(format::moment(&locale(state), at))
    });
    environment
}

fn locale(state: &State) -> String {
    let locale = state.lookup("locale");
    let locale = locale.as_ref().and_then(|locale| locale.as_str());
    locale.unwrap_or(LAST_RESORT).to_owned()
}

fn read<T: for<'de> Deserialize<'de>>(value: &Value) -> Result<T, Error> {
    let wrong = |_| Error::new(ErrorKind::InvalidOperation, "not an amount or a moment");
    let json = serde_json::to_value(value).map_err(wrong)?;
    serde_json::from_value(json).map_err(wrong)
}

/// Lines that hold only a tag leave no empty line behind.
fn tidy() -> SyntaxConfig {
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    syntax.build().unwrap_or_default()
}

/// In HTML, prints text with `& < > " '` escaped; unlike the engine's own way it leaves `/` alone,
/// of which addresses are full.
fn escaped(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let html = matches!(state.auto_escape(), AutoEscape::Html);
    let text = match value.as_str() {
        Some(text) if html && !value.is_safe() => text,
        _ => return minijinja::escape_formatter(out, state, value),
    };
    for (place, piece) in text.split('/').enumerate() {
        if place > 0 {
            out.write_str("/")?;
        }
        write!(out, "{}", HtmlEscape(piece))?;
    }
    Ok(())
}
