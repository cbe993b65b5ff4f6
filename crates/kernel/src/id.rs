//! Ids are prefixed newtypes (`ord_…`), so that a cart's id cannot be passed where an order's is
//! wanted, and a person reading a log knows what they see.

/// Where ids and other unguessable values come from. Deciders never call this: ids arrive in
/// commands. The runtime's implementation is random; a simulation's is seeded.
pub trait Ids: Send + Sync {
    /// A new time-ordered 128-bit id (UUIDv7, RFC 9562), as 32 hex digits.
    fn next(&self) -> String;
    /// 32 bytes from the system's secure random source, for tokens and keys.
    fn secret(&self) -> [u8; 32];
}

/// Declares an id type: `id!(/// An order. OrderId, "ord");`. It serialises as its text and
/// refuses text with another prefix, odd characters or more than 64 bytes.
#[macro_export]
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// What every id of this kind starts with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh, time-ordered id.
            pub fn generate(ids: &dyn $crate::Ids) -> Self {
                Self(format!(concat!($prefix, "_{}"), ids.next()).into())
            }

            /// The text of the id, prefix included.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let rest = text.strip_prefix(concat!($prefix, "_"));
                match rest {
                    Some(r) if !r.is_empty() && text.len() <= 64
                        && r.bytes().all(|b| b.is_ascii_alphanumeric()) => Ok(Self(text.into())),
                    _ => Err(format!(concat!("expected an id such as ", $prefix, "_… of letters and digits"))),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $crate::utoipa::PartialSchema for $name {
            fn schema() -> $crate::utoipa::openapi::RefOr<$crate::utoipa::openapi::schema::Schema> {
                <String as $crate::utoipa::PartialSchema>::schema()
            }
        }

        impl $crate::utoipa::ToSchema for $name {}

        impl From<&$name> for $crate::Value {
            fn from(id: &$name) -> Self { Self::Text(id.0.as_ref().to_owned()) }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A natural person whose personal data is sealed with a key of their own (see
    /// [`Personal`](crate::Personal)): a customer, or a guest known from one checkout.
    PersonId,
    "per"
);

#[cfg(test)]
mod tests {
    use super::PersonId;

    #[test]
    fn foreign_and_malformed_ids_are_refused() {
        assert!("per_0190aa".parse::<PersonId>().is_ok());
        for bad in [
            "ord_0190aa",
            "per_",
            "per_a-b",
            "per_a'b",
            "",
            &format!("per_{}", "a".repeat(80)),
        ] {
            assert!(bad.parse::<PersonId>().is_err(), "{bad}");
        }
    }
}
