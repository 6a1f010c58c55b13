//! Complete: from the provider's callback to the App's word that all is well.

use std::collections::BTreeMap;
use std::sync::Arc;

use tessera_types::{App, AppId, CallResponse, Context, RawJson};
use tokio::time::Instant;

use super::managed::Choice;
use super::{Connect, Error, Visitor};
use crate::audit;
use crate::calls::ServerCall;
use crate::grants::{Act, REMOTE_OAUTH2};
use crate::platform::Identity;

/// A flow that ended well.
#[derive(Debug)]
pub struct Completed {
    /// The App's display name.
    pub app_name: String,
    /// The provider's refusal that the App was told of, as one of the fixed codes.
    pub declined: Option<&'static str>,
    /// What the App said of that refusal, or of the account that is connected, where it answered with an error of its
    /// own.
    pub said: Option<String>,
    /// The account of a managed connection: `somebody@example.com at Google`.
    pub account: Option<String>,
    /// Whether what was connected before stays.
    pub kept: bool,
    /// What an administrator wanted to know of the provider: then nobody was connected.
    pub probed: Option<String>,
    /// What the person is asked before anything changes.
    pub choice: Option<Choice>,
}

impl Completed {
    /// Nothing to be said of it.
    pub(super) fn well(app_name: String) -> Self {
        Self { app_name, declined: None, said: None, account: None, kept: false, probed: None, choice: None }
    }
}

/// What came with a callback, checked and taken apart: every argument once (OS-14).
#[derive(Debug, Clone, Default)]
pub struct CallbackQuery {
    values: BTreeMap<String, String>,
}

/// The whole query, in bytes.
const QUERY_CAP: usize = 8 << 10;
/// One value, in bytes.
const VALUE_CAP: usize = 4 << 10;
/// Arguments that decide, and so must not come twice.
const ONCE: [&str; 4] = ["code", "state", "iss", "error"];

/// The codes of RFC 6749 section 4.1.2.1 and OpenID Connect Core section 3.1.2.6.
const CODES: [&str; 11] = [
    "access_denied",
    "invalid_request",
    "unauthorized_client",
    "unsupported_response_type",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
    "interaction_required",
    "login_required",
    "account_selection_required",
    "consent_required",
];
/// Stands for every other code: a provider's own text is not shown to anyone (OS-13).
const OTHER_CODE: &str = "other_error";

impl CallbackQuery {
    /// Takes a raw query apart. Of other arguments than the deciding ones the first counts, as the wire has it.
    pub fn parse(query: &str) -> Result<Self, Error> {
        if query.len() > QUERY_CAP {
            return Err(Error::TooLong);
        }
        let mut values = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if name == "access_token" {
                return Err(Error::TokenInQuery);
            }
            if value.len() > VALUE_CAP {
                return Err(Error::TooLong);
            }
            if values.contains_key(name.as_ref()) {
                match ONCE.into_iter().find(|once| *once == name) {
                    Some(once) => return Err(Error::Repeated(once)),
                    None => continue,
                }
            }
            values.insert(name.into_owned(), value.into_owned());
        }
        Ok(Self { values })
    }

    /// The state, if one came.
    pub fn state(&self) -> Option<&str> {
        self.values.get("state").map(String::as_str).filter(|state| !state.is_empty())
    }

    /// One argument.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// All of them.
    pub(super) fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// What a managed App gets: nothing that could be swapped.
    pub(super) fn without_code(mut self) -> Result<BTreeMap<String, RawJson>, Error> {
        self.values.remove("code");
        self.into_values()
    }

    /// The provider's refusal, if it refused, as one of the fixed codes.
    pub fn declined(&self) -> Option<&'static str> {
        let error = self.values.get("error").filter(|error| !error.is_empty())?;
        Some(CODES.into_iter().find(|code| code == error).unwrap_or(OTHER_CODE))
    }

    /// What the App gets: with an `error`, the code is not passed on (OS-13: error wins).
    fn into_values(mut self) -> Result<BTreeMap<String, RawJson>, Error> {
        if self.declined().is_some() {
            self.values.remove("code");
        }
        self.values
            .into_iter()
            .map(|(name, value)| Ok((name, RawJson::from_value(&value).map_err(|_| Error::TaskDied)?)))
            .collect()
    }
}

impl Connect {
    /// Takes a callback's query apart; one that breaks the rules is a refused flow, and on record as such.
    pub async fn read_callback(
        &self,
        app: &AppId,
        visitor: &Visitor<'_>,
        query: &str,
    ) -> Result<CallbackQuery, Error> {
        match CallbackQuery::parse(query) {
            Ok(query) => Ok(query),
            Err(error) => Err(self.refused(app, visitor, error).await),
        }
    }

    /// Ends a flow: the state is spent, and the App is called in a task of its own that the browser cannot cancel.
    /// `cookie` is the value of the flow's cookie, if the browser sent it.
    pub async fn complete(
        self: &Arc<Self>,
        app: &AppId,
        visitor: &Visitor<'_>,
        query: CallbackQuery,
        cookie: Option<&str>,
    ) -> Result<Completed, Error> {
        match self.try_complete(app, visitor, query, cookie).await {
            Ok(completed) => Ok(completed),
            Err(error) => Err(self.refused(app, visitor, error).await),
        }
    }

    async fn try_complete(
        self: &Arc<Self>,
        app: &AppId,
        visitor: &Visitor<'_>,
        query: CallbackQuery,
        cookie: Option<&str>,
    ) -> Result<Completed, Error> {
        self.person(visitor)?;
        let record = self.apps.callable(app).await?;
        if !record.is_granted(REMOTE_OAUTH2) {
            return Err(Error::CompleteNotPermitted(app.clone()));
        }
        let state = query.state().ok_or(Error::NoState)?;
        let spent = self.redeem(state, app, visitor, cookie, &self.redirect_uri(app)).await?;
        let finish = Finish {
            app: app.clone(),
            record,
            identity: visitor.identity.clone(),
            by_cookie: visitor.by_cookie,
            request: visitor.request.to_owned(),
            deadline: visitor.deadline,
            query,
        };
        let connect = Arc::clone(self);
        let work = async move {
            match spent.flow {
                None => connect.finish(finish).await,
                Some(flow) => connect.finish_managed(finish, flow).await,
            }
        };
        self.tasks.run(work).await.unwrap_or(Err(Error::TaskDied))
    }

    async fn finish(&self, finish: Finish) -> Result<Completed, Error> {
        let Finish { app, record, identity, by_cookie, request, deadline, query } = finish;
        let visitor = Visitor { identity: &identity, by_cookie, request: &request, deadline };
        let declined = query.declined();
        let response = self
            .calls
            .server_call(ServerCall {
                app: &record,
                call: record.manifest.complete_call(),
                values: query.into_values()?,
                given: Context::default(),
                acting: Some(&identity.user_id),
                request: &request,
                deadline,
            })
            .await
            .map_err(Error::FromApp)?;
        // An App that is told of a refusal may well call it an error: that is its word on it, and no failure of its own.
        let said = match (response.is_error(), declined) {
            (true, None) => return Err(Error::AppSaidNo(response.text)),
            (true, Some(_)) => Some(response.text),
            (false, _) if !matches!(response.kind.as_str(), "" | CallResponse::OK) => {
                return Err(Error::ResponseType(response.kind));
            }
            (false, _) => None,
        };
        self.note(audit::Act::FlowCompleted, &app, &visitor, declined.unwrap_or_default()).await?;
        if declined.is_none() && self.settings.tells_completions {
            self.tell_completed(&app, &visitor).await;
        }
        Ok(Completed { declined, said, ..Completed::well(record.manifest.display_name.clone()) })
    }
}

impl Connect {
    /// A word in chat, where the person came from. The account is connected whether it is said or not.
    async fn tell_completed(&self, app: &AppId, visitor: &Visitor<'_>) {
        let act = Act { actor: &visitor.identity.user_id, app, request: visitor.request, reason: "connect" };
        if let Err(error) = self.grants.tell_of_own(&act).await {
            tracing::warn!(%app, %error, "a person will not be told that they are connected");
        }
    }
}

/// What a completion needs once its request may be gone.
pub(super) struct Finish {
    pub(super) app: AppId,
    pub(super) record: Arc<App>,
    pub(super) identity: Identity,
    pub(super) by_cookie: bool,
    pub(super) request: String,
    pub(super) deadline: Instant,
    pub(super) query: CallbackQuery,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_14_what_decides_comes_once_and_everything_is_capped() {
        for once in ONCE {
            let twice = CallbackQuery::parse(&format!("{once}=a&{once}=b"));
            assert!(matches!(twice, Err(Error::Repeated(name)) if name == once));
        }
        let query = CallbackQuery::parse("state=s&x=1&x=2&c%6fde=a+b").unwrap();
        assert_eq!(query.state(), Some("s"));
        assert_eq!(query.values["x"], "1");
        assert_eq!(query.values["code"], "a b");
        assert!(matches!(CallbackQuery::parse(&"a".repeat(100_000)), Err(Error::TooLong)));
        assert!(matches!(CallbackQuery::parse(&format!("a={}", "b".repeat(4097))), Err(Error::TooLong)));
        assert!(matches!(CallbackQuery::parse("access_token=x"), Err(Error::TokenInQuery)));
    }

    #[test]
    fn os_13_an_error_wins_over_a_code() {
        let values =
            CallbackQuery::parse("state=s&code=c&error=access_denied").unwrap().into_values().unwrap();
        assert_eq!(values.keys().collect::<Vec<_>>(), ["error", "state"]);
    }
}
