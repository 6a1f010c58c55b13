//! What an entry says. Ids, never secrets; a secret appears as its keyed fingerprint at most (OS-50, OS-54).

use serde::Serialize;

use super::RowMark;

/// What was done, or tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// An App's OAuth2 record was written.
    CredentialsStored,
    /// An App's OAuth2 record was released to the App.
    CredentialsReleased,
    /// A user's record was written.
    ConnectionStored,
    /// A user's record was released to the App.
    ConnectionReleased,
    /// A user's record was removed.
    ConnectionRemoved,
    /// A managed connection's token was asked to be refreshed at its provider.
    RefreshAsked,
    /// A fresh token of a managed connection was written.
    ConnectionRefreshed,
    /// A refresh brought no token; with its class and code.
    RefreshFailed,
    /// A grant ended outside: its person ended it, or somebody else used its refresh token (OS-38).
    GrantSuspect,
    /// A grant was ended at its provider, or could not be; with what became of it.
    GrantRevoked,
    /// An App's provider record was written.
    ProviderStored,
    /// An App's provider record was removed.
    ProviderRemoved,
    /// The provider refuses an App's client.
    ProviderFault,
    /// A token to act with was handed to an App.
    TokenIssued,
    /// All tokens of an App were ended.
    TokensRevoked,
    /// A connect flow began.
    FlowStarted,
    /// A connect flow ended well.
    FlowCompleted,
    /// A connect flow was refused, or failed.
    FlowRefused,
    /// An App's connect answer led to an origin not seen before (OS-08).
    OriginSeen,
    /// An App was listed.
    AppListed,
    /// An App was installed.
    AppInstalled,
    /// An App was enabled.
    AppEnabled,
    /// An App was disabled.
    AppDisabled,
    /// An App was uninstalled.
    AppUninstalled,
    /// A row of the store was written as an earlier entry announced (OS-40).
    RowWritten,
    /// A row of the store was removed as an earlier entry announced (OS-40).
    RowRemoved,
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Allowed, and about to be done.
    Allowed,
    /// Refused.
    Refused,
    /// Done: what an earlier entry announced has happened.
    Done,
}

/// One entry, before it gets its number, its time and its link in the chain.
#[derive(Debug, Clone, Serialize)]
pub struct Entry<'a> {
    /// What.
    pub act: Act,
    /// Allowed or refused.
    pub outcome: Outcome,
    /// Who, by user id; empty when nobody is known.
    pub actor: &'a str,
    /// With, or about, which App.
    pub app: &'a str,
    /// The request's id.
    pub request: &'a str,
    /// Why, or with what: a fixed word, a fingerprint, an origin; never a secret.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub detail: &'a str,
    /// Which row of the store it is about, where it changes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<RowMark<'a>>,
}

impl<'a> Entry<'a> {
    /// An act that is allowed.
    pub fn allowed(act: Act, actor: &'a str, app: &'a str, request: &'a str) -> Self {
        Self { act, outcome: Outcome::Allowed, actor, app, request, detail: "", row: None }
    }

    /// An act that is refused.
    pub fn refused(act: Act, actor: &'a str, app: &'a str, request: &'a str) -> Self {
        Self { outcome: Outcome::Refused, ..Self::allowed(act, actor, app, request) }
    }

    /// An act that has happened.
    pub fn done(act: Act, actor: &'a str, app: &'a str, request: &'a str) -> Self {
        Self { outcome: Outcome::Done, ..Self::allowed(act, actor, app, request) }
    }

    /// The same entry about a row.
    pub fn row(self, row: RowMark<'a>) -> Self {
        Self { row: Some(row), ..self }
    }

    /// The same entry with a detail.
    pub fn detail(self, detail: &'a str) -> Self {
        Self { detail, ..self }
    }
}
