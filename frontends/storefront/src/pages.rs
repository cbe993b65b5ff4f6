//! Turning what services answered into HTML: templates built into the binary (a shop may replace
//! any of them), with escaping always on.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use minijinja::{
    AutoEscape, Environment, Error, HtmlEscape, Output, State, UndefinedBehavior, Value, context,
    syntax::SyntaxConfig, value::Serde,
};
use rust_embed::RustEmbed;
use serde::Serialize;

use crate::{assets, config::Config, cookies, navigation::Section, visit::Visit};

#[derive(RustEmbed)]
#[folder = "templates"]
struct Templates;

/// The templates.
pub struct Pages {
    environment: Environment<'static>,
}

impl Pages {
    /// Templates of a shop: its own where it has them, ours otherwise.
    pub fn new(config: &Config) -> Self {
        let mut environment = Environment::new();
        environment.set_syntax(tidy());
        // Every template is HTML, whatever its name: nothing is ever printed unescaped by accident.
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_formatter(escaped);
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_auto_reload(cfg!(debug_assertions));
        let own = config.templates.clone().map(minijinja::path_loader);
        environment.set_loader(move |name| {
            let replaced = match &own {
                Some(own) => own(name)?.map(|source| source.source().to_owned()),
                None => None,
            };
            let built_in = || {
                let file = Templates::get(name)?;
                String::from_utf8(file.data.into_owned()).ok()
            };
            Ok(replaced.or_else(built_in))
        });
        environment.add_function("asset", |file: String| assets::address(&file));
        environment.add_global("shop_name", config.shop_name.clone());
        Self { environment }
    }

    fn render(&self, template: &str, context: Value) -> Result<String, Error> {
        self.environment.get_template(template)?.render(context)
    }
}

/// Lines that hold only a tag leave no empty line behind.
fn tidy() -> SyntaxConfig {
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true);
    syntax.build().unwrap_or_default()
}

/// Prints a value: safe HTML as it is, everything else with `& < > " '` escaped. Unlike the
/// engine's own way this leaves `/` alone, of which addresses are full.
fn escaped(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    let text = match value.as_str() {
        Some(text) if !value.is_safe() => text,
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

/// How long a page may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Browsers may keep it, and ask whether it is still the same: pages of the catalogue.
    Revalidate,
    /// Nowhere: pages with personal data or one-time values.
    Never,
}

/// A page about to be shown.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// HTTP status.
    pub status: StatusCode,
    /// Which template.
    pub template: &'static str,
    /// Caching.
    pub keep: Keep,
    /// Categories for the header; none on pages that must not need the catalogue.
    pub sections: Vec<Section>,
    /// Units in the cart, when the page knows better than the visitor's cookie.
    pub count: Option<i64>,
    /// The template's `page`.
    pub content: T,
}

impl<T: Serialize> Page<T> {
    /// A page that is not kept, without categories.
    pub fn new(template: &'static str, content: T) -> Self {
        Self {
            status: StatusCode::OK,
            template,
            keep: Keep::Never,
            sections: Vec::new(),
            count: None,
            content,
        }
    }

    /// With another status.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With categories in the header.
    pub fn sections(mut self, sections: Vec<Section>) -> Self {
        self.sections = sections;
        self
    }

    /// With the number of units in the cart.
    pub fn count(mut self, units: i64) -> Self {
        self.count = Some(units);
        self
    }

    /// Browsers may keep it as long as it stays the same.
    pub fn revalidated(mut self) -> Self {
        self.keep = Keep::Revalidate;
        self
    }

    /// The answer to a visitor.
    pub fn show(self, visit: &Visit) -> Response {
        let values = context! {
            page => Serde(&self.content),
            sections => Serde(&self.sections),
            cart_count => self.count.or_else(|| cookies::count(&visit.headers)),
            path => visit.uri.path(),
        };
        let html = match visit.shop.pages.render(self.template, values) {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(template = self.template, %error, "a template failed");
                let text = "This page could not be put together. Please try again later.";
                return (StatusCode::INTERNAL_SERVER_ERROR, text).into_response();
            }
        };
        match (self.keep, self.status) {
            (Keep::Revalidate, StatusCode::OK) => revalidated(&visit.headers, html),
            _ => {
                let caching = [(header::CACHE_CONTROL, "no-store")];
                (self.status, caching, Html(html)).into_response()
            }
        }
    }
}

/// The page, or 304 when the browser has this very page (RFC 9110, 13.1.2). The tag is weak: the
/// gateway may compress.
fn revalidated(asked: &HeaderMap, html: String) -> Response {
    let tag = format!("W/\"{:016x}\"", assets::fingerprint(html.as_bytes()));
    let same = asked
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|one| one.trim() == tag));
    let mut response = match same {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Html(html).into_response(),
    };
    let headers = response.headers_mut();
    // Private: the header shows the visitor's cart.
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    if let Ok(tag) = tag.parse() {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// Sends the browser on with GET, so that a reload does not send the form again.
pub fn see_other(address: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(address) = address.parse() {
        response.headers_mut().insert(header::LOCATION, address);
    }
    response
}
