//! What may be told of a customer: lengths and forms, the field named.

use contracts::{
    address::Address,
    customers::{Profile, api::ProfileChange},
};
use kernel::Rejection;

/// The profile after a change.
pub fn changed_profile(old: &Profile, change: &ProfileChange) -> Result<Profile, Rejection> {
    let mut new = old.clone();
    if let Some(name) = &change.name {
        new.name = text("name", name, 200)?;
    }
    if let Some(name) = &change.marketing_name {
        new.marketing_name = text("marketing_name", name, 100)?;
    }
    if let Some(phone) = &change.phone {
        new.phone = text("phone", phone, 40)?;
        let good = |c: char| c.is_ascii_digit() || " +-/().".contains(c);
        let digits = new.phone.chars().filter(char::is_ascii_digit).count();
        if !new.phone.is_empty() && (!new.phone.chars().all(good) || digits < 3) {
            let detail = "must be digits, spaces and `+-/().`, such as +44 20 7946 0000";
            return Err(Rejection::invalid("phone", detail));
        }
    }
    if let Some(locale) = &change.locale {
        new.locale = text("locale", locale, 35)?;
        let part = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        let language = new.locale.split('-').next().unwrap_or_default();
        let letters = language.bytes().all(|b| b.is_ascii_alphabetic());
        let good = (2..=3).contains(&language.len()) && letters && new.locale.split('-').all(part);
        if !new.locale.is_empty() && !good {
            let detail = "must be a language of BCP 47, such as de or de-AT";
            return Err(Rejection::invalid("locale", detail));
        }
    }
    Ok(new)
}

fn text(field: &str, given: &str, longest: usize) -> Result<String, Rejection> {
    let given = given.trim();
    match given.chars().count() > longest || given.contains(char::is_control) {
        false => Ok(given.to_owned()),
        true => Err(Rejection::invalid(
            field,
            format!("must have at most {longest} characters and no control characters"),
        )),
    }
}

/// Refuses an address that nobody can live at, or that its country cannot have.
pub fn check_address(address: &Address) -> Result<(), Rejection> {
    match address.country_problem() {
        None => Ok(()),
        Some((field, expected)) => Err(Rejection::invalid(field, expected)),
    }
}

/// Refuses an empty or endless note.
pub fn check_note(text: &str) -> Result<(), Rejection> {
    let length = text.trim().chars().count();
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    match length == 0 || length > 2_000 || text.chars().any(odd) {
        false => Ok(()),
        true => Err(Rejection::invalid(
            "text",
            "must have 1 to 2,000 characters",
        )),
    }
}
