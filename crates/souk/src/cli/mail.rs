//! How the shop writes to people.

use std::path::PathBuf;

use clap::Args;

use crate::services::Mail;

#[derive(Args, Clone)]
pub struct MailOptions {
    /// The mail server: smtp://user:password@host:587?tls=required or smtps://user:password@host.
    /// Without one, mail stays in the built-in outbox.
    #[arg(
        long = "mail-smtp-url",
        env = "SOUK__MAIL__SMTP_URL",
        hide_env_values = true
    )]
    pub smtp_url: Option<String>,
    /// The sender of all mail, such as `Shop <shop@example.org>`.
    #[arg(long = "mail-from", env = "SOUK__MAIL__FROM", requires = "smtp_url")]
    pub from: Option<String>,
    /// A folder with mail templates of the shop's own.
    #[arg(long = "mail-templates", env = "SOUK__MAIL__TEMPLATES_DIR")]
    pub templates: Option<PathBuf>,
    /// The language of mail to whoever has named none: en or de, or one there are templates in.
    #[arg(long = "mail-locale", env = "SOUK__MAIL__LOCALE")]
    pub locale: Option<String>,
    /// Where the shop is reached by browsers: links in mail begin with it.
    #[arg(long = "shop-url", env = "SOUK__SHOP__URL")]
    pub shop_url: Option<String>,
}

impl MailOptions {
    /// As the services take it.
    pub fn settings(&self) -> Mail {
        Mail {
            smtp_url: self.smtp_url.clone(),
            from: self.from.clone(),
            templates: self.templates.clone(),
            locale: self.locale.clone(),
            shop_url: self.shop_url.clone(),
            dev_mail: false,
        }
    }

    /// As environment variables, for processes that are started for this shop.
    #[cfg(unix)]
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let templates = self
            .templates
            .as_ref()
            .map(|path| path.display().to_string());
        [
            ("SOUK__MAIL__SMTP_URL", self.smtp_url.clone()),
            ("SOUK__MAIL__FROM", self.from.clone()),
            ("SOUK__MAIL__TEMPLATES_DIR", templates),
            ("SOUK__MAIL__LOCALE", self.locale.clone()),
            ("SOUK__SHOP__URL", self.shop_url.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}
