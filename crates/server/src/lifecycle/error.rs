//! What can go wrong in an App's life; the texts are the wire's (sections 2.12 to 2.14).

use tessera_types::error::Kind;
use tessera_types::{AppId, path};

use crate::{apps, audit, calls, env, grants, platform, upstream};

/// Why a change of an App's state did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The manifest breaks rules; all of them are named.
    #[error("{0}: invalid input")]
    Manifest(tessera_types::error::Aggregate),
    /// Nothing to install from.
    #[error("failed to find manifest to install app: {0}: not found")]
    NotListed(AppId),
    /// The manifest says nothing about this way to run.
    #[error("app does not support {0} deployment")]
    NotDeployed(String),
    /// This service cannot reach Apps that run so.
    #[error("deployment type \"{0}\" is not configured on this Mattermost server")]
    NotConfigured(String),
    /// The App does not answer.
    #[error("failed to install, /ping path is not accessible: {0}")]
    Ping(upstream::Error),
    /// The App's icon cannot be had.
    #[error("failed to get bot icon: failed to download icon: {icon}: {reason}")]
    Icon {
        /// Its path in the manifest.
        icon: String,
        /// What went wrong.
        reason: String,
    },
    /// The name of a static asset is none.
    #[error("{0}")]
    StaticName(path::PathError),
    /// A static asset could not be fetched.
    #[error("{0}")]
    Static(upstream::Error),
    /// Uninstall: there is no such App.
    #[error("failed to get app, appID: {0}: {1}")]
    Uninstall(AppId, apps::Error),
    /// Enable, disable: there is no such App.
    #[error("failed to get app. appID: {0}: {1}")]
    Switch(AppId, apps::Error),
    /// The App said no to being uninstalled.
    #[error("app canceled uninstall request: {0}")]
    Cancelled(String),
    /// The bot could not be switched on.
    #[error("failed to enable bot account for {0}: {1}")]
    EnableBot(AppId, platform::Error),
    /// The bot could not be switched off.
    #[error("failed to disable bot account for {0}: {1}")]
    DisableBot(AppId, platform::Error),
    /// The registry.
    #[error(transparent)]
    App(#[from] apps::Error),
    /// What the App leaves behind could not be removed.
    #[error(transparent)]
    Grants(#[from] grants::Error),
    /// The platform.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// A call about the App's life failed.
    #[error(transparent)]
    Call(#[from] calls::CallError),
    /// The audit log could not be written, so nothing was done.
    #[error("refused, as the audit log cannot be written: {0}")]
    Audit(#[from] audit::Error),
    /// No random bytes.
    #[error(transparent)]
    Rng(#[from] env::RngError),
}

impl Error {
    /// The kind in the wire's error model (section 12.1).
    pub fn kind(&self) -> Kind {
        match self {
            Self::Manifest(_) | Self::StaticName(_) => Kind::Invalid,
            Self::NotListed(_) => Kind::NotFound,
            Self::App(error) | Self::Uninstall(_, error) | Self::Switch(_, error) => error.kind(),
            Self::Grants(error) => error.kind(),
            Self::Static(error) => error.kind(),
            _ => Kind::Other,
        }
    }

    /// Whether the text is part of the wire, and so may be shown with a 500.
    pub fn is_pinned(&self) -> bool {
        match self {
            Self::Audit(_) | Self::Rng(_) | Self::Grants(_) => false,
            Self::App(error) | Self::Uninstall(_, error) | Self::Switch(_, error) => {
                error.kind() != Kind::Other
            }
            Self::Platform(error) | Self::EnableBot(_, error) | Self::DisableBot(_, error) => {
                matches!(error, platform::Error::Entity(_) | platform::Error::NameTaken(_))
            }
            _ => true,
        }
    }
}
