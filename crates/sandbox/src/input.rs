//! Reads request bodies field by field, so that every error names its field and none repeats
//! what was sent.

use http::StatusCode;
use serde_json::{Map, Value};

use crate::problem::Problem;

/// The fields of one JSON object.
pub struct Fields(Map<String, Value>);

/// Parses a body as an object. An empty body is an empty object.
pub fn object(body: &[u8]) -> Result<Fields, Problem> {
    if body.is_empty() {
        return Ok(Fields(Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(Fields(fields)),
        Ok(_) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed_json",
            "the body must be a JSON object",
        )),
        // Only the place: the parser's own message may quote the input.
        Err(error) => {
            let detail = format!(
                "the body is not valid JSON (line {}, column {})",
                error.line(),
                error.column()
            );
            Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "malformed_json",
                detail,
            ))
        }
    }
}

impl Fields {
    /// Takes a field that must be a non-empty text of at most `max` bytes.
    pub fn text(&mut self, name: &'static str, max: usize) -> Result<String, Problem> {
        match self.take(name) {
            Some(Value::String(text)) if text.is_empty() => {
                Err(Problem::invalid(name, "must not be empty"))
            }
            Some(Value::String(text)) if text.len() > max => Err(Problem::invalid(
                name,
                format!("must have at most {max} bytes"),
            )),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(Problem::invalid(name, "must be a text")),
            None => Err(Problem::invalid(name, "is missing")),
        }
    }

    /// Takes a field that, when there, must be an integer from 1 to `max`.
    pub fn optional_amount(
        &mut self,
        name: &'static str,
        max: u64,
    ) -> Result<Option<u64>, Problem> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        match value.as_u64() {
            Some(amount) if (1..=max).contains(&amount) => Ok(Some(amount)),
            _ => Err(Problem::invalid(
                name,
                format!("must be an integer from 1 to {max}, in minor units"),
            )),
        }
    }

    /// Takes a field that must be an integer from 1 to `max`.
    pub fn amount(&mut self, name: &'static str, max: u64) -> Result<u64, Problem> {
        self.optional_amount(name, max)?
            .ok_or_else(|| Problem::invalid(name, "is missing"))
    }

    /// Takes a field that must be `true` or `false`, or absent.
    pub fn optional_flag(&mut self, name: &'static str) -> Result<Option<bool>, Problem> {
        match self.take(name) {
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(Problem::invalid(name, "must be true or false")),
            None => Ok(None),
        }
    }

    /// Takes a whole number, also written as a text: forms send `"07"`.
    pub fn number(&mut self, name: &'static str) -> Result<u32, Problem> {
        let number = match self.take(name) {
            Some(Value::Number(number)) => number.as_u64().and_then(|n| u32::try_from(n).ok()),
            Some(Value::String(text)) if text.len() <= 4 => text.trim().parse().ok(),
            Some(_) => None,
            None => return Err(Problem::invalid(name, "is missing")),
        };
        number.ok_or_else(|| Problem::invalid(name, "must be a whole number"))
    }

    /// Takes a field that must be an object itself.
    pub fn nested(&mut self, name: &'static str) -> Result<Fields, Problem> {
        match self.take(name) {
            Some(Value::Object(fields)) => Ok(Fields(fields)),
            Some(_) => Err(Problem::invalid(name, "must be an object")),
            None => Err(Problem::invalid(name, "is missing")),
        }
    }

    /// Fails when fields were sent that nobody took: a misspelt field must not be ignored.
    pub fn end(self, allowed: &str) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let detail = format!("there are unknown fields; known are: {allowed}");
        Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "unknown_field",
            detail,
        ))
    }

    /// `null` counts as absent.
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_field_and_never_quote_the_input() {
        let secret = "4242424242424242";
        let bodies = [
            format!(r#"{{"amount": "{secret}"}}"#),
            format!(r#"{{"amount": -{secret}}}"#),
            format!(r#"{{"amount": {secret}.5}}"#),
            format!(r#"{{"amount": {secret}}}"#),
            r#"{"amount": 0}"#.to_owned(),
            r#"{"amount": null}"#.to_owned(),
        ];
        for body in bodies {
            let mut fields = object(body.as_bytes()).expect("valid JSON");
            let problem = fields.amount("amount", 1_000).expect_err("not an amount");
            assert_eq!(problem.field, Some("amount"));
            assert!(!format!("{problem:?}").contains(secret), "{problem:?}");
        }
        for body in [
            format!("{{{secret}"),
            format!("[{secret}]"),
            format!("\"{secret}\""),
        ] {
            let problem = object(body.as_bytes()).err().expect("no object");
            assert_eq!(problem.code, "malformed_json");
            assert!(!format!("{problem:?}").contains(secret), "{problem:?}");
        }
    }

    #[test]
    fn unknown_fields_are_refused() {
        let mut fields = object(br#"{"amount": 5, "amuont": 6}"#).expect("valid JSON");
        assert_eq!(fields.amount("amount", 10), Ok(5));
        assert_eq!(
            fields.end("amount").expect_err("misspelt").code,
            "unknown_field"
        );
        assert_eq!(object(b"").expect("empty is fine").end(""), Ok(()));
    }
}
