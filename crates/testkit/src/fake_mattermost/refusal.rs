//! Refusals, with the ids, statuses and words that Mattermost has for them.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use serde_json::json;

use super::asked::Json;

/// An error: a status, Mattermost's id for it and what it says.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    status: StatusCode,
    id: &'static str,
    message: String,
    /// The session cookie is taken away with it.
    clears_cookie: bool,
    /// It is shown as a page, as whoever asks is a browser.
    is_page: bool,
}

impl Refusal {
    pub(super) fn new(status: u16, id: &'static str) -> Self {
        let status = StatusCode::from_u16(status).unwrap();
        Self { status, id, message: said(id).to_owned(), clears_cookie: false, is_page: false }
    }

    /// Puts a value into the message.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.message = self.message.replace(&format!("{{{name}}}"), value);
        self
    }

    /// Shown as a page.
    pub(super) fn page(mut self) -> Self {
        self.is_page = true;
        self
    }

    /// No session, or none that counts.
    pub(super) fn expired() -> Self {
        Self::new(401, "api.context.session_expired.app_error")
    }

    /// A token that is nobody's: the cookie goes too.
    pub(super) fn unknown_token() -> Self {
        Self { clears_cookie: true, ..Self::expired() }
    }

    pub(super) fn forbidden() -> Self {
        Self::new(403, "api.context.permissions.app_error")
    }

    pub(super) fn missing() -> Self {
        Self::new(404, "api.context.404.app_error")
    }

    pub(super) fn bad_body(name: &str) -> Self {
        Self::new(400, "api.context.invalid_body_param.app_error").with("Name", name)
    }

    pub(super) fn bad_path(name: &str) -> Self {
        Self::new(400, "api.context.invalid_url_param.app_error").with("Name", name)
    }

    pub(super) fn no_user() -> Self {
        Self::new(404, "app.user.missing_account.const")
    }

    pub(super) fn no_channel() -> Self {
        Self::new(404, "app.channel.get.existing.app_error")
    }

    pub(super) fn no_team() -> Self {
        Self::new(404, "app.team.get.find.app_error")
    }

    pub(super) fn no_bot() -> Self {
        Self::new(404, "store.sql_bot.get.missing.app_error")
    }

    /// What it says.
    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

impl Refusal {
    /// As an answer of a site whose cookies hang on this path.
    pub(super) fn respond(self, cookie_path: &str) -> Response {
        if self.is_page {
            let page = format!("<!DOCTYPE html><title>Error</title><p>{}</p>", self.message);
            return (self.status, Html(page)).into_response();
        }
        let body = json!({
            "id": self.id, "message": self.message, "detailed_error": "", "request_id": "",
            "status_code": self.status.as_u16(),
        });
        let mut response = (self.status, Json(body)).into_response();
        if self.clears_cookie {
            let gone = format!("MMAUTHTOKEN=; Path={cookie_path}; Max-Age=0; HttpOnly");
            response.headers_mut().append("set-cookie", gone.parse().unwrap());
        }
        response
    }
}

/// What Mattermost says, in English.
fn said(id: &str) -> &'static str {
    match id {
        "api.bot.create_disabled" => "Bot creation has been disabled.",
        "api.channel.add_user_to_channel.type.app_error" => "Can not add user to this channel type.",
        "api.channel.create_direct_channel.invalid_user.app_error" => {
            "Invalid user ID for direct channel creation."
        }
        "api.command.command_post.forbidden.app_error" => {
            "Specified user is not a member of specified channel."
        }
        "api.command.disabled.app_error" => "Commands have been disabled by the system admin.",
        "api.command.duplicate_trigger.app_error" => {
            "This trigger word is already in use. Please choose another word."
        }
        "api.command.execute_command.failed.app_error" => "Command with a trigger of '{Trigger}' failed.",
        "api.command.execute_command.failed_empty.app_error" => {
            "Command with a trigger of '{Trigger}' returned an empty response."
        }
        "api.command.execute_command.failed_resp.app_error" => {
            "Command with a trigger of '{Trigger}' returned response {Status}."
        }
        "api.command.execute_command.not_found.app_error" => {
            "Command with a trigger of '{Trigger}' not found. To send a message beginning with \"/\", try adding an empty \
             space at the beginning of the message."
        }
        "api.command.execute_command.site_url_required.app_error" => {
            "Site URL must be configured to use custom slash commands."
        }
        "api.command.execute_command.start.app_error" => "No command trigger found.",
        "api.command.team_mismatch.app_error" => "Unable to update commands across teams.",
        "api.config.client.old_format.app_error" => {
            "New format for the client configuration is not supported yet. Please specify format=old in the query string."
        }
        "api.config.update_config.clear_siteurl.app_error" => "Site URL cannot be cleared.",
        "api.config.update_config.not_allowed_security.app_error" => {
            "Changing {Name} is not allowed due to security reasons."
        }
        "api.context.404.app_error" => "Sorry, we could not find the page.",
        "api.context.invalid_body_param.app_error" => "Invalid or missing {Name} in request body.",
        "api.context.invalid_url_param.app_error" => "Invalid or missing {Name} parameter in request URL.",
        "api.context.permissions.app_error" => "You do not have the appropriate permissions.",
        "api.context.session_expired.app_error" => "Invalid or expired session, please login again.",
        "api.context.token_provided.app_error" => {
            "Session is not OAuth but token was provided in the query string."
        }
        "api.oauth.allow_oauth.pkce_required_public.app_error" => {
            "PKCE is required for public clients using authorization code flow"
        }
        "api.oauth.allow_oauth.redirect_callback.app_error" => {
            "invalid_request: Supplied redirect_uri did not match registered callback_url."
        }
        "api.oauth.allow_oauth.turn_off.app_error"
        | "api.oauth.authorize_oauth.disabled.app_error"
        | "api.oauth.get_access_token.disabled.app_error"
        | "api.oauth.register_oauth_app.turn_off.app_error" => {
            "The system admin has turned off OAuth2 Service Provider."
        }
        "api.oauth.get_access_token.bad_client_id.app_error" => "invalid_request: Bad client_id.",
        "api.oauth.get_access_token.bad_client_secret.app_error" => "invalid_request: Missing client_secret.",
        "api.oauth.get_access_token.bad_grant.app_error" => "invalid_request: Bad grant_type.",
        "api.oauth.get_access_token.credentials.app_error" => "invalid_client: Invalid client credentials.",
        "api.oauth.get_access_token.expired_code.app_error" => {
            "invalid_grant: Invalid or expired authorization code."
        }
        "api.oauth.get_access_token.missing_code.app_error" => "invalid_request: Missing code.",
        "api.oauth.get_access_token.missing_refresh_token.app_error" => {
            "invalid_request: Missing refresh_token."
        }
        "api.oauth.get_access_token.redirect_uri.app_error" => {
            "invalid_request: Supplied redirect_uri does not match authorization code redirect_uri."
        }
        "api.oauth.get_access_token.refresh_token.app_error" => "invalid_grant: Invalid refresh token.",
        "api.post.do_action.action_id.app_error" => "Invalid action id.",
        "api.post.do_action.action_integration.app_error" => "Action integration error.",
        "api.team.get_all_teams.insufficient_permissions" => {
            "You don't have the appropriate permissions to list all teams"
        }
        "api.user.login.blank_pwd.app_error" => "Password field must not be blank",
        "api.user.login.bot_login_forbidden.app_error" => "Bot login is forbidden.",
        "api.user.login.inactive.app_error" => {
            "Login failed because your account has been deactivated.  Please contact an administrator."
        }
        "api.user.login.invalid_credentials_email_username" => {
            "Enter a valid email or username and/or password."
        }
        "app.channel.get.existing.app_error" => "Unable to find the existing channel.",
        "app.channel.get_member.missing.app_error" => {
            "No channel member found for that user ID and channel ID."
        }
        "app.command_webhook.get.missing" => "Unable to find the webhook.",
        "app.command_webhook.try_use.invalid" => "Invalid webhook.",
        "app.oauth.get_app.find.app_error" => "Unable to find the requested app.",
        "app.post.get.app_error" => "Unable to get the post.",
        "app.session.get.app_error" => "We encountered an error finding the session.",
        "app.submit_interactive_dialog.decode_json_error" => {
            "Encountered an error decoding JSON response from dialog submission."
        }
        "app.team.get.find.app_error" | "app.team.get_by_name.missing.app_error" => {
            "Unable to find the existing team."
        }
        "app.team.get_member.missing.app_error" => "No team member found for that user ID and team ID.",
        "app.user.missing_account.const" => "Unable to find the user.",
        "app.user.save.username_exists.app_error" => "An account with that username already exists.",
        "app.user_access_token.disabled" => {
            "Personal access tokens are disabled on this server. Please contact your system administrator for details."
        }
        "app.user_access_token.invalid_or_missing" => "Invalid or missing token.",
        "interactive_message.decode_trigger_id.base64_decode_failed" => {
            "Failed to decode base64 for trigger ID for interactive dialog."
        }
        "interactive_message.decode_trigger_id.expired" => {
            "Trigger ID for interactive dialog is expired. Trigger IDs live for a maximum of {Seconds} seconds."
        }
        "interactive_message.decode_trigger_id.missing_data" => {
            "Trigger ID missing required data for interactive dialog."
        }
        "interactive_message.decode_trigger_id.verify_signature_failed" => {
            "Signature verification failed of trigger ID for interactive dialog."
        }
        "model.command.is_valid.trigger.app_error" => "Invalid trigger.",
        "model.command.is_valid.url_http.app_error" => {
            "Invalid URL. Must be a valid URL and start with http:// or https://."
        }
        "model.oauth.is_valid.callback.app_error" => {
            "Callback URL must be a valid URL and start with http:// or https://."
        }
        "model.oauth.is_valid.homepage.app_error" => {
            "Homepage must be a valid URL and start with http:// or https://."
        }
        "model.oauth.is_valid.name.app_error" => "Invalid name.",
        "store.sql_bot.get.missing.app_error" => "Bot does not exist.",
        "store.sql_command.save.get.app_error" => "Unable to get the command.",
        // The rest is told apart by its id.
        _ => "The request is refused.",
    }
}
