//! Why a flow did not go on; the texts are the wire's (apps-framework.md sections 2.5 and 2.6).

use tessera_types::AppId;
use tessera_types::error::Kind;

use crate::rate::Wait;
use crate::{apps, audit, calls, env, grants, store, vault};

/// Why a flow did not begin, or did not end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An App's or a bot's token: a flow needs a person.
    #[error("a session that belongs to an App can't connect an account: forbidden")]
    NotAPerson,
    /// The App is not there, or disabled.
    #[error(transparent)]
    App(#[from] apps::Error),
    /// Connect: the App may not use OAuth2.
    #[error("{0} is not authorized to use OAuth2")]
    ConnectNotPermitted(AppId),
    /// Complete: the App may not use OAuth2.
    #[error("{0} is not authorized to use remote OAuth2: unauthorized")]
    CompleteNotPermitted(AppId),
    /// A parameter that must come once came twice (OS-14).
    #[error("the parameter {0} came more than once: invalid input")]
    Repeated(&'static str),
    /// A parameter, or all of them, is too long (OS-14).
    #[error("the query is too long: invalid input")]
    TooLong,
    /// The provider sent a token through the browser (OS-15).
    #[error("an access token in the address is not accepted: use the authorization code flow: invalid input")]
    TokenInQuery,
    /// No state came along.
    #[error("no state arg in the URL: unauthorized")]
    NoState,
    /// The state is malformed, or somebody else's.
    #[error("forbidden")]
    Forbidden,
    /// The state is unknown, spent, expired, of another App or of another browser.
    #[error("state mismatch: forbidden")]
    StateMismatch,
    /// The App said no, or could not be reached.
    #[error("{0}")]
    FromApp(calls::CallError),
    /// The App's own error.
    #[error("{0}")]
    AppSaidNo(String),
    /// The App answered a form, or the like.
    #[error("oauth2: unexpected response type from the app: \"{0}\"")]
    ResponseType(String),
    /// The App answered something else than a URL.
    #[error("oauth2: unexpected data type from the app: {0}, expected string (connect URL)")]
    DataType(&'static str),
    /// The URL that the App answered must not be followed (OS-08).
    #[error("the app {app} answered a connect URL that can't be followed: {why}")]
    BadUrl {
        /// Which App.
        app: AppId,
        /// What is wrong with it, and which setting would change that.
        why: &'static str,
    },
    /// The URL leads to an origin that nobody declared (OS-08).
    #[error(
        "the app {app} wants to send you to {origin}, which no administrator declared: \
         connect.origins is \"strict\"; add the origin to connect.known_origins to allow it"
    )]
    UnknownOrigin {
        /// Which App.
        app: AppId,
        /// Where it leads.
        origin: String,
    },
    /// There is nothing to agree to: the App has no client at the site.
    #[error("the app {0} does not ask to act for people here: not found")]
    NothingToAgree(AppId),
    /// Whether somebody must agree first could not be told.
    #[error(transparent)]
    Platform(#[from] crate::platform::Error),
    /// A callback of a managed flow brought neither a code nor a refusal.
    #[error("the provider sent neither a code nor an error: invalid input")]
    NoCode,
    /// The site's address makes no redirect URI.
    #[error("the site's address makes no redirect URI")]
    NoRedirect,
    /// A page's form is old, or of another session; with what to do about it.
    #[error("this page is out of date: {0}")]
    StaleForm(&'static str),
    /// More connects within a minute than one person may make (OS-55).
    #[error("no more than {many} connects within a minute are served: try again in {wait}")]
    TooFast {
        /// How many there may be.
        many: u32,
        /// When there may be another.
        wait: Wait,
    },
    /// As many flows as one person may have with one App are open; none of them ends for another one (OS-55).
    #[error("you have {most} connects with {app} under way: finish one of them, or try again in {wait}")]
    TooManyFlows {
        /// Which App.
        app: AppId,
        /// How many there may be.
        most: u32,
        /// When the next of them expires.
        wait: Wait,
    },
    /// The flow's own task died.
    #[error("completing the flow failed: see the server's log")]
    TaskDied,
    /// The audit log could not be written, so nothing was done.
    #[error("refused, as the audit log cannot be written: {0}")]
    Audit(#[from] audit::Error),
    /// Connections could not be read.
    #[error(transparent)]
    Grants(#[from] grants::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Sealing or opening failed.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// No random bytes.
    #[error(transparent)]
    Rng(#[from] env::RngError),
}

/// What of an error the outside may see, and as which status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The wire's kind decides; the text is shown.
    Kind(Kind),
    /// 400, and the text is shown.
    Invalid,
    /// The App's fault: 500 with its words, as the wire pins.
    App,
    /// The App's answer cannot be followed: 502.
    BadGateway,
    /// Too much at once: 429, and when to come back.
    Later(Wait),
    /// Ours: 500 without the text.
    Internal,
}

impl Error {
    /// How the outside sees it.
    pub fn standing(&self) -> Standing {
        match self {
            Self::NotAPerson | Self::Forbidden | Self::StateMismatch => Standing::Kind(Kind::Forbidden),
            Self::NothingToAgree(_) => Standing::Kind(Kind::NotFound),
            Self::App(error) if error.kind() != Kind::Other => Standing::Kind(error.kind()),
            Self::ConnectNotPermitted(_) | Self::CompleteNotPermitted(_) | Self::NoState => {
                Standing::Kind(Kind::Unauthorized)
            }
            Self::Repeated(_) | Self::TooLong | Self::TokenInQuery | Self::StaleForm(_) | Self::NoCode => {
                Standing::Invalid
            }
            Self::Grants(error) => match error {
                grants::Error::Issuer(_) | grants::Error::IdToken(_) => Standing::Kind(Kind::Forbidden),
                grants::Error::ProviderChanged(_) => Standing::Invalid,
                grants::Error::NoClient(_)
                | grants::Error::ClientRefused { .. }
                | grants::Error::Exchange { .. } => Standing::BadGateway,
                error if error.kind() != Kind::Other => Standing::Kind(error.kind()),
                _ => Standing::Internal,
            },
            Self::FromApp(_) | Self::AppSaidNo(_) | Self::ResponseType(_) | Self::DataType(_) => {
                Standing::App
            }
            Self::BadUrl { .. } | Self::UnknownOrigin { .. } => Standing::BadGateway,
            Self::TooFast { wait, .. } | Self::TooManyFlows { wait, .. } => Standing::Later(*wait),
            _ => Standing::Internal,
        }
    }

    /// Whether the state was spent before this went wrong.
    pub fn is_after_the_state(&self) -> bool {
        self.standing() == Standing::App || matches!(self, Self::NoCode | Self::Grants(_))
    }

    /// A fixed word for the audit log.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::NotAPerson => "not-a-person",
            Self::App(_) => "app",
            Self::ConnectNotPermitted(_) | Self::CompleteNotPermitted(_) => "permission",
            Self::Repeated(_) | Self::TooLong | Self::TokenInQuery => "query",
            Self::NoState => "no-state",
            Self::Forbidden => "foreign-state",
            Self::StateMismatch => "state-mismatch",
            Self::FromApp(_) | Self::AppSaidNo(_) => "app-error",
            Self::ResponseType(_) | Self::DataType(_) | Self::BadUrl { .. } => "app-answer",
            Self::UnknownOrigin { .. } => "origin",
            Self::StaleForm(_) => "form",
            Self::NoCode => "query",
            Self::Grants(grants::Error::Issuer(_)) => "issuer",
            Self::Grants(grants::Error::IdToken(_)) => "id-token",
            Self::Grants(grants::Error::ProviderChanged(_)) => "provider-changed",
            Self::Grants(grants::Error::NoClient(_) | grants::Error::ClientRefused { .. }) => "client",
            Self::Grants(grants::Error::Exchange { .. }) => "exchange",
            Self::TooFast { .. } | Self::TooManyFlows { .. } => "limit",
            _ => "internal",
        }
    }
}
