//! What a shop may set.

use std::path::PathBuf;

use kernel::Currency;

/// The storefront's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// The shop's name, shown on every page.
    pub shop_name: String,
    /// What prices are shown and carts are opened in.
    pub currency: Currency,
    /// Where the payment provider is reached by *browsers*, without a slash at the end, such as
    /// `http://127.0.0.1:9090`. Card numbers go there and nowhere else.
    pub provider_url: String,
    /// The provider's key that may be shown to anyone: it can only exchange cards for tokens.
    pub publishable_key: String,
    /// Where the shop is reached by browsers, such as `https://shop.example`. Without it, the
    /// `Host` header of each request says so.
    pub public_url: Option<String>,
    /// ISO 3166-1 code that the checkout form starts with.
    pub country: String,
    /// A folder whose templates stand in for the built-in ones of the same name.
    pub templates: Option<PathBuf>,
}

impl Config {
    /// Settings of a shop that pays through the sandbox provider at `provider_url`.
    pub fn new(
        shop_name: impl Into<String>,
        currency: Currency,
        provider_url: impl Into<String>,
    ) -> Self {
        Self {
            shop_name: shop_name.into(),
            currency,
            provider_url: provider_url.into().trim_end_matches('/').to_owned(),
            publishable_key: "pk_sandbox".into(),
            public_url: None,
            country: "GB".into(),
            templates: None,
        }
    }

    /// Whether cookies may travel over TLS only: when the shop's public address is `https`.
    pub fn secure(&self) -> bool {
        self.public_url
            .as_deref()
            .is_some_and(|url| url.starts_with("https://"))
    }
}
