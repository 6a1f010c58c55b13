//! Words to people about their connections, said by the App's bot.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use tessera_types::{AppId, routes};
use url::Url;

use crate::apps::Registry;
use crate::grants::{Messenger, Word};
use crate::platform::Platform;

/// The Apps' bots, as they speak to people.
pub(super) struct Bots {
    apps: Arc<Registry>,
    /// Not kept alive from here: a platform may lean on the grants that speak through this.
    platform: Weak<dyn Platform>,
    site_url: String,
}

impl Bots {
    pub(super) fn new(apps: Arc<Registry>, platform: &Arc<dyn Platform>, site_url: &Url) -> Self {
        Self { apps, platform: Arc::downgrade(platform), site_url: site_url.to_string() }
    }

    fn text(&self, name: &str, app: &AppId, word: &Word) -> String {
        let accounts = routes::below_site(&self.site_url, &format!("{}/accounts", routes::TESSERA_V1));
        match word {
            Word::Connected { account } if account.is_empty() => format!(
                "You connected an account with {}. [Your connected accounts]({accounts}) shows it, and ends it.",
                plain(name)
            ),
            Word::Connected { account } => format!(
                "You connected {} with {}. [Your connected accounts]({accounts}) shows what it is used for, and ends it.",
                plain(account),
                plain(name)
            ),
            Word::Reconnect { account, code } => {
                let connect = routes::connect_url(&self.site_url, app);
                format!(
                    "The connection of {} with {} has ended{}: [connect again]({connect}) to go on using it.",
                    plain(account),
                    plain(name),
                    why(code)
                )
            }
        }
    }
}

#[async_trait]
impl Messenger for Bots {
    async fn tell(&self, app: &str, user: &str, word: &Word) -> Result<(), String> {
        let id = AppId::unchecked(app);
        let Some(record) = self.apps.get(&id).await.map_err(|error| error.to_string())? else {
            return Ok(());
        };
        // Nobody is there to read what a bot is told, or to say it.
        if record.bot_user_id == user || record.bot_user_id.is_empty() || record.disabled {
            return Ok(());
        }
        let name = record.manifest.display_name.trim();
        let text = self.text(if name.is_empty() { app } else { name }, &id, word);
        let platform = self.platform.upgrade().ok_or("the service is stopping")?;
        let said = platform.direct_message(&record.bot_user_id, user, &text).await;
        said.map_err(|error| error.to_string())
    }
}

/// A code as people may read it.
fn why(code: &str) -> &'static str {
    match code {
        "client_changed" => ", as an administrator changed what the App is at its provider",
        "no_refresh_token" => ", as its provider gave it for a limited time",
        "interaction_required" | "login_required" => ", as its provider wants you to sign in there again",
        "consent_required" | "invalid_scope" => ", as its provider wants you to agree anew",
        _ => ", as its provider says",
    }
}

/// A stranger's words, such as an account's name, in a message that is Markdown: nothing in them is markup.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '@' => plain.push_str("@\u{200b}"),
            c if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '-' | '\'') => {
                plain.push('\\');
                plain.push(c);
            }
            c if c.is_control() => plain.push(' '),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accounts_name_is_no_markup_and_calls_nobody() {
        assert_eq!(plain("[x](http://evil)"), "\\[x\\]\\(http\\:\\/\\/evil\\)");
        assert_eq!(plain("@all"), "@\u{200b}all");
        assert_eq!(plain("ann@example.com"), "ann@\u{200b}example.com");
    }
}
