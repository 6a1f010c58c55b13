//! What became of ended connections at their providers (OS-36): in words for the person whose they were.

use super::health::shown;
use super::moments::Moment;
use crate::grants::Revocation;

/// A connection that ended, or was replaced.
#[derive(Debug)]
pub struct Gone<'a> {
    /// The App's display name.
    pub app_name: &'a str,
    /// Which account.
    pub account: &'a str,
    /// When.
    pub at: Moment,
    /// What became of it at its provider, in a sentence or two.
    pub became: String,
    /// The provider's name, and the page on which a person ends it, where only that is left.
    pub left: Option<(&'a str, &'a str)>,
}

impl<'a> Gone<'a> {
    /// Of a revocation; `app_name` is the App's.
    pub fn of(revocation: &'a Revocation, app_name: &'a str, now: i64) -> Self {
        let provider = revocation.provider_name.as_str();
        let by_hand = matches!(revocation.outcome.as_str(), "not_offered" | "failed");
        Self {
            app_name,
            account: &revocation.account,
            at: Moment::new(revocation.asked_at, now),
            became: became(revocation, provider),
            left: revocation.permissions_url.as_deref().filter(|_| by_hand).map(|page| (provider, page)),
        }
    }
}

fn became(revocation: &Revocation, provider: &str) -> String {
    let code = shown(&revocation.code);
    let by_hand = match revocation.permissions_url {
        Some(_) => "you end it on the page there",
        None => "you end it there, in the settings of your account",
    };
    match revocation.outcome.as_str() {
        "waiting" if code.is_empty() => format!("{provider} is asked to end it there too."),
        "waiting" => {
            format!("{provider} was asked to end it there too, could not yet{code}, and is asked again.")
        }
        "revoked" => format!("It was ended at {provider} too."),
        "unknown_to_provider" => format!("{provider} did not know it any more: it had ended there already."),
        "not_offered" => {
            format!(
                "{provider} offers no way to end it from here: it stays valid there until {by_hand}, or it runs out."
            )
        }
        "kept" => {
            format!("At {provider} it goes on, as another connection of yours has the same account there.")
        }
        _ => format!(
            "{provider} did not end it{code}: it may stay valid there until {by_hand}, or it runs out."
        ),
    }
}
