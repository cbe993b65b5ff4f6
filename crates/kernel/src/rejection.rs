//! A rejection: a rule said no, or a request made no sense. Rendered as RFC 9457 problem+json.

use serde_json::Value;

/// The family of a rejection, which decides its HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    /// The request itself is wrong (400).
    Invalid,
    /// The caller is not known (401).
    Unauthenticated,
    /// The caller may not do this (403).
    Forbidden,
    /// There is no such thing (404).
    NotFound,
    /// It does not fit the present state (409).
    Conflict,
    /// It was there once and has ended, an expired cart for instance (410).
    Gone,
    /// Well-formed but against a rule of the business (422).
    Unprocessable,
    /// Too much at once (429).
    TooMany,
}

/// Why a command was refused. It carries no personal data and no secret: it is shown and logged.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// The family.
    pub kind: RejectionKind,
    /// A stable machine-readable code, such as `price-changed`.
    pub code: &'static str,
    /// One sentence for a person: what is wrong and what to do.
    pub detail: String,
    /// The offending field as a JSON pointer-like path, such as `lines[0].quantity`.
    pub field: Option<String>,
    /// Further machine-readable members of the problem document.
    pub extra: Option<Value>,
}

impl Rejection {
    /// A rejection of any kind.
    pub fn new(kind: RejectionKind, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            code,
            detail: detail.into(),
            field: None,
            extra: None,
        }
    }

    /// 400: the value of `field` is wrong.
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(RejectionKind::Invalid, "invalid", detail).field(field)
    }

    /// 404.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            RejectionKind::NotFound,
            "not-found",
            format!("there is no such {what}"),
        )
    }

    /// 409 with a code.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(RejectionKind::Conflict, code, detail)
    }

    /// 422 with a code.
    pub fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(RejectionKind::Unprocessable, code, detail)
    }

    /// 403.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(RejectionKind::Forbidden, "forbidden", detail)
    }

    /// Names the offending field.
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Adds machine-readable members to the problem document.
    pub fn extra(mut self, extra: Value) -> Self {
        self.extra = Some(extra);
        self
    }
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}
