//! What a shopper enters at checkout, and what may be wrong with it. It is checked here so that all
//! mistakes are shown at once; the cart service checks again and has the last word.

use contracts::{
    address::{Address, is_email},
    cart::CartView,
};
use serde::{Deserialize, Serialize};

use crate::{client::Refusal, countries::COUNTRIES, failure};

/// The form's fields. Personal data: not `Debug`, never logged, shown only to who entered it.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Entered {
    /// E-mail address.
    pub email: String,
    name: String,
    line1: String,
    line2: String,
    city: String,
    province: String,
    postcode: String,
    country: String,
    phone: String,
    /// What the provider gave for the card.
    token: String,
    /// One of the provider's test tokens, picked instead of a card.
    test_card: String,
    /// Idempotency key, made with the form: see [`key_of`].
    key: String,
}

/// Something that is wrong with a field; with none, with the whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldError {
    /// The input's id, to jump to.
    pub field: Option<&'static str>,
    /// What is wrong and what is expected.
    pub text: String,
}

impl FieldError {
    /// Not about one field.
    pub fn general(text: &str) -> Self {
        Self {
            field: None,
            text: text.into(),
        }
    }

    fn on(field: &'static str, text: impl Into<String>) -> Self {
        Self {
            field: Some(field),
            text: text.into(),
        }
    }

    /// A service's refusal, at the input it is about.
    pub fn of(refusal: &Refusal) -> Self {
        let name = refusal.field.as_deref().unwrap_or_default();
        let name = name.strip_prefix("shipping_address.").unwrap_or(name);
        let label = LABELS.iter().find(|(field, _)| *field == name);
        match (label, name) {
            (Some((field, label)), _) => Self::on(
                field,
                format!("{label}: {}.", refusal.detail.trim_end_matches('.')),
            ),
            (None, name) if name.starts_with("payment") => Self::on(
                "test-card",
                "The payment could not be used. Please enter your card again.",
            ),
            (None, _) => Self::general(&failure::sentence(refusal)),
        }
    }
}

/// Inputs' ids, which are the API's names too, and what people call them.
const LABELS: [(&str, &str); 9] = [
    ("email", "E-mail"),
    ("name", "Name"),
    ("line1", "Street and number"),
    ("line2", "Flat, floor, care of"),
    ("city", "Town"),
    ("province", "County or state"),
    ("postcode", "Postcode"),
    ("country", "Country"),
    ("phone", "Phone"),
];

impl Entered {
    /// An empty form.
    pub fn new(country: &str) -> Self {
        Self {
            country: country.into(),
            ..Self::default()
        }
    }

    /// As sent, without the blanks around.
    pub fn tidied(mut self) -> Self {
        let fields = [
            &mut self.email,
            &mut self.name,
            &mut self.line1,
            &mut self.line2,
            &mut self.city,
            &mut self.province,
            &mut self.postcode,
            &mut self.phone,
        ];
        for field in fields {
            *field = field.trim().to_owned();
        }
        self
    }

    /// The idempotency key, unless what was sent is none.
    pub fn key(&self) -> Option<&str> {
        let usable = (1..=64).contains(&self.key.len())
            && self.key.bytes().all(|byte| byte.is_ascii_graphic());
        usable.then_some(self.key.as_str())
    }

    /// What to pay with: a picked test card goes before a token that was made earlier.
    pub fn token(&self) -> &str {
        match self.test_card.is_empty() {
            true => &self.token,
            false => &self.test_card,
        }
    }

    /// Where the goods go.
    pub fn address(&self) -> Address {
        Address {
            name: self.name.clone(),
            line1: self.line1.clone(),
            line2: self.line2.clone(),
            city: self.city.clone(),
            province: self.province.clone(),
            postcode: self.postcode.clone(),
            country: self.country.clone(),
            phone: self.phone.clone(),
            company: String::new(),
        }
    }

    /// Everything that is wrong, in the order of the form.
    pub fn errors(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if !is_email(&self.email) {
            let text = "Please enter your e-mail address, such as ada@example.com.";
            errors.push(FieldError::on("email", text));
        }
        let needed = [
            (
                "name",
                &self.name,
                "Please enter the name the parcel is for.",
            ),
            ("line1", &self.line1, "Please enter street and number."),
            ("city", &self.city, "Please enter the town."),
        ];
        for (field, value, text) in needed {
            if value.is_empty() {
                errors.push(FieldError::on(field, text));
            }
        }
        if !COUNTRIES.iter().any(|(code, _)| *code == self.country) {
            errors.push(FieldError::on("country", "Please pick the country."));
        }
        if errors.is_empty()
            && let Some((field, text)) = self.address().problem()
            && let Some((field, label)) = LABELS.iter().find(|(name, _)| *name == field)
        {
            errors.push(FieldError::on(field, format!("{label}: {text}.")));
        }
        let token = self.token();
        let formed = token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if token.is_empty() || token.len() > 256 || !formed {
            let text = "Please enter your card, or pick a test card.";
            errors.push(FieldError::on("test-card", text));
        }
        errors
    }
}

/// The idempotency key of a form that shows this cart. Services keep keys apart by cart, so the
/// moment of the cart's last change is enough: the same form sent twice is one order, and a form
/// for a changed cart is another attempt.
pub fn key_of(cart: &CartView) -> String {
    format!("form-{}", cart.updated_at.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Entered {
        Entered {
            email: " ada@example.com ".into(),
            name: "Ada".into(),
            line1: "1 Bridge Street".into(),
            city: "London".into(),
            test_card: "tok_visa".into(),
            ..Entered::new("GB")
        }
    }

    fn fields(entered: &Entered) -> Vec<Option<&'static str>> {
        entered.errors().iter().map(|error| error.field).collect()
    }

    #[test]
    fn a_filled_form_is_good() {
        assert_eq!(good().tidied().errors(), []);
    }

    #[test]
    fn all_mistakes_are_found_at_once_in_the_order_of_the_form() {
        let empty = Entered {
            country: "XX".into(),
            ..Entered::default()
        };
        let all = ["email", "name", "line1", "city", "country", "test-card"];
        assert_eq!(fields(&empty), all.map(Some));
        let long = Entered {
            province: "x".repeat(201),
            ..good()
        }
        .tidied();
        assert_eq!(fields(&long), [Some("province")]);
        let odd = Entered {
            token: "tok_<script>".into(),
            test_card: String::new(),
            ..good()
        }
        .tidied();
        assert_eq!(fields(&odd), [Some("test-card")]);
    }

    #[test]
    fn only_what_fits_a_header_is_a_key() {
        let key = |key: &str| {
            let key = key.into();
            Entered { key, ..good() }.key().map(str::to_owned)
        };
        assert_eq!(key("form-19").as_deref(), Some("form-19"));
        for bad in ["", "with spaces", "new\nline", &"x".repeat(65)] {
            assert_eq!(key(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn refusals_land_at_the_input_they_name() {
        let refusal = |field: &str| {
            let refusal = Refusal {
                field: Some(field.into()),
                detail: "must not be empty".into(),
                ..Refusal::default()
            };
            let error = FieldError::of(&refusal);
            (error.field, error.text)
        };
        assert_eq!(
            refusal("shipping_address.city"),
            (Some("city"), "Town: must not be empty.".into())
        );
        assert_eq!(refusal("payment.token").0, Some("test-card"));
        assert_eq!(refusal("other"), (None, "Must not be empty.".into()));
    }
}
