//! With whose eyes entities are read (apps-framework.md section 6.3).

use tessera_types::{App, DeployType};

use super::ExpandError;
use crate::platform::Eyes;

/// An App with this permission acts as its bot.
pub(super) const ACT_AS_BOT: &str = "act_as_bot";
/// An App with this permission acts as people.
pub(super) const ACT_AS_USER: &str = "act_as_user";

/// The acting user's if the App may act as users, else the bot's if it may act as that.
pub(super) fn eyes<'a>(app: &'a App, acting: Option<&'a str>) -> Result<Eyes<'a>, ExpandError> {
    if is_builtin(app) {
        return Ok(Eyes::Unrestricted);
    }
    match acting {
        Some(user) if app.is_granted(ACT_AS_USER) => Ok(Eyes::Of(user)),
        _ if app.is_granted(ACT_AS_BOT) => Ok(Eyes::Of(&app.bot_user_id)),
        _ => Err(ExpandError::NoEyes),
    }
}

/// Whether an App is part of the server.
pub(super) fn is_builtin(app: &App) -> bool {
    app.deploy_type == Some(DeployType::Builtin)
}
