//! The people side: accounts, browser sessions, and requests that wait for an answer.

use std::collections::{BTreeMap, HashMap};

use subtle::ConstantTimeEq as _;

use crate::request::AuthorizationRequest;

/// How long a request waits for the person to answer, in seconds.
const PATIENCE: i64 = 1800;

#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// What the person is called, and signs in with.
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) email: String,
}

/// A browser. Its id is the cookie.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// Must come with every form this browser posts.
    pub(crate) csrf: String,
    /// Name of the account, once signed in.
    pub(crate) account: Option<String>,
}

/// A request that waits for an answer, bound to the browser that brought it.
struct Waiting {
    session_id: String,
    until: i64,
    request: AuthorizationRequest,
}

#[derive(Default)]
pub(crate) struct People {
    accounts: BTreeMap<String, Account>,
    sessions: HashMap<String, Session>,
    waiting: HashMap<String, Waiting>,
}

impl People {
    /// Adds an account, in place of an earlier one of that name.
    pub(crate) fn put(&mut self, account: Account) {
        self.accounts.insert(account.name.clone(), account);
    }

    pub(crate) fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name)
    }

    pub(crate) fn password_matches(&self, name: &str, password: &str) -> bool {
        let account = self.accounts.get(name);
        account.is_some_and(|account| account.password.as_bytes().ct_eq(password.as_bytes()).into())
    }

    pub(crate) fn session(&self, id: &str) -> Option<&Session> {
        self.sessions.get(id)
    }

    pub(crate) fn open_session(&mut self, id: String, csrf: String) {
        self.sessions.insert(id, Session { csrf, account: None });
    }

    /// Signs `account` in. The session gets a new id and a new form token, so that neither is one that somebody
    /// may have planted before (session fixation); what waits in this browser moves along.
    pub(crate) fn sign_in(&mut self, old_id: &str, new_id: &str, csrf: String, account: String) {
        self.sessions.remove(old_id);
        self.sessions.insert(new_id.to_owned(), Session { csrf, account: Some(account) });
        for waiting in self.waiting.values_mut().filter(|waiting| waiting.session_id == old_id) {
            new_id.clone_into(&mut waiting.session_id);
        }
    }

    /// Keeps a request until its person answers, and forgets those nobody answered.
    pub(crate) fn wait(&mut self, id: String, session_id: String, request: AuthorizationRequest, now: i64) {
        self.waiting.retain(|_, waiting| waiting.until > now);
        self.waiting.insert(id, Waiting { session_id, until: now.saturating_add(PATIENCE), request });
    }

    /// The request `id`, if it waits in this very browser.
    pub(crate) fn waiting(&self, id: &str, session_id: &str, now: i64) -> Option<&AuthorizationRequest> {
        let waiting = self.waiting.get(id)?;
        (waiting.session_id == session_id && waiting.until > now).then_some(&waiting.request)
    }

    /// Takes the request `id` out: it is answered once.
    pub(crate) fn answer(&mut self, id: &str, session_id: &str, now: i64) -> Option<AuthorizationRequest> {
        self.waiting(id, session_id, now)?;
        self.waiting.remove(id).map(|waiting| waiting.request)
    }
}
