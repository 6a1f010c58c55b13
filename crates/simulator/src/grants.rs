//! Codes, grants and tokens: what was given to whom, and what of it still lives.
//!
//! Time and chance are arguments here. A *grant* is one person's consent given to one client; the tokens that
//! follow from it belong to it and end with it.

use std::collections::HashMap;

use crate::error::TokenError;
use crate::positions::HeldToken;
use crate::request::AuthorizationRequest;
use crate::scope::Scope;
use crate::terms::{Rotation, Terms};

#[derive(Default)]
pub(crate) struct Grants {
    grants: Vec<Grant>,
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    issued: Vec<String>,
}

/// Index into `Grants::grants`; none is ever removed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct GrantId(usize);

struct Grant {
    client_id: String,
    account: String,
    scope: Scope,
    kind: Kind,
    /// When it began, or was last refreshed.
    last_used: i64,
    /// Whether a refresh token belongs to it.
    offline: bool,
    revoked: bool,
}

/// Whose token it is, where a reply has two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Only,
    Bot,
    User,
}

struct Code {
    request: AuthorizationRequest,
    account: String,
    expires_at: i64,
    /// What the code was exchanged for.
    spent_on: Option<GrantId>,
}

struct Access {
    grant: GrantId,
    scope: Scope,
    expires_at: i64,
}

struct Refresh {
    grant: GrantId,
    issued_at: i64,
    /// When it was replaced by a newer one.
    rotated_at: Option<i64>,
}

/// New random texts, made before the lock is taken.
pub(crate) struct Fresh {
    pub(crate) access: String,
    pub(crate) refresh: String,
    /// An access and a refresh token for the bot that may come along.
    pub(crate) bot: (String, String),
}

/// What a token request brings back.
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) scope: Scope,
    pub(crate) kind: Kind,
    /// Name of the account.
    pub(crate) account: String,
    /// The nonce of the request that led here; none after a refresh.
    pub(crate) nonce: Option<String>,
    /// Who the account is of, signed.
    pub(crate) id_token: Option<String>,
    /// What a bot got besides.
    pub(crate) bot: Option<Box<Issued>>,
}

impl Grants {
    pub(crate) fn give_code(
        &mut self,
        code: String,
        request: AuthorizationRequest,
        account: String,
        expires_at: i64,
    ) {
        self.issued.push(code.clone());
        self.codes.insert(code, Code { request, account, expires_at, spent_on: None });
    }

    /// Exchanges a code (RFC 6749 §4.1.3, RFC 7636 §4.6). A second exchange of the same code by its client revokes
    /// what the first one gave (RFC 6749 §4.1.2). A refused exchange leaves the code as it was.
    pub(crate) fn redeem(
        &mut self,
        client_id: &str,
        code: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
        terms: Terms,
        fresh: Fresh,
    ) -> Result<Issued, TokenError> {
        let known = self.codes.get_mut(code).filter(|code| code.request.client_id == client_id);
        let known = known.ok_or(TokenError::InvalidGrant("the code is unknown, or another client's"))?;
        if let Some(GrantId(spent)) = known.spent_on {
            if let Some(grant) = self.grants.get_mut(spent) {
                grant.revoked = true;
            }
            return Err(TokenError::InvalidGrant("the code was used before; what it gave is revoked"));
        }
        if known.expires_at <= terms.now {
            return Err(TokenError::InvalidGrant("the code has expired"));
        }
        if known.request.back.redirect_uri != redirect_uri {
            return Err(TokenError::InvalidGrant("redirect_uri is not the one of the authorization request"));
        }
        match (&known.request.challenge, verifier) {
            _ if terms.pkce_ignored => {}
            (None, None) => {}
            (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => {}
            (Some(_), Some(_)) => {
                return Err(TokenError::InvalidGrant("code_verifier does not meet the code_challenge"));
            }
            (Some(_), None) => return Err(TokenError::InvalidGrant("code_verifier is missing")),
            // RFC 9700 §4.8.2: a challenge was stripped on the way.
            (None, Some(_)) => {
                return Err(TokenError::InvalidGrant("code_verifier came, but no code_challenge before"));
            }
        }
        let grant = GrantId(self.grants.len());
        known.spent_on = Some(grant);
        let (request, account) = (known.request.clone(), known.account.clone());
        let seen_before = !request.consent_again && self.holds(client_id, &account) > 0;
        let offline = request.offline && !(terms.refresh_once && seen_before);
        let kind = if terms.two { Kind::User } else { Kind::Only };
        let Fresh { access, refresh, bot } = fresh;
        let grant = |kind| Grant {
            client_id: client_id.to_owned(),
            account: account.clone(),
            scope: request.scope.clone(),
            kind,
            last_used: terms.now,
            offline,
            revoked: false,
        };
        let mut issued = self.begin(grant(kind), terms, access, refresh);
        issued.nonce = request.nonce.clone();
        if terms.two {
            let (access, refresh) = bot;
            let bot = self.begin(grant(Kind::Bot), terms, access, refresh);
            issued.bot = Some(Box::new(bot));
        }
        if let Some(cap) = terms.cap {
            self.drop_oldest(client_id, &account, cap);
        }
        Ok(issued)
    }

    /// A grant that no code led to: a device's, with a refresh token, or a client's own, without (RFC 6749 §4.4.3).
    pub(crate) fn give(
        &mut self,
        client_id: String,
        account: Option<String>,
        scope: Scope,
        terms: Terms,
        fresh: Fresh,
    ) -> Issued {
        let offline = account.is_some();
        let account = account.unwrap_or_default();
        let (kind, last_used) = (Kind::Only, terms.now);
        let grant = Grant { client_id, account, scope, kind, last_used, offline, revoked: false };
        self.begin(grant, terms, fresh.access, fresh.refresh)
    }

    /// A grant with its first tokens.
    fn begin(&mut self, grant: Grant, terms: Terms, access: String, refresh: String) -> Issued {
        let id = GrantId(self.grants.len());
        let (offline, scope) = (grant.offline, grant.scope.clone());
        self.grants.push(grant);
        let refresh_token = offline.then(|| self.give_refresh(id, refresh, terms.now));
        self.give_access(id, scope, terms, access, refresh_token)
    }

    /// How many live grants with a refresh token this person has with this client; what came along for a bot is not
    /// counted.
    fn holds(&self, client_id: &str, account: &str) -> usize {
        self.held(client_id, account).count()
    }

    fn held<'a>(&'a self, client_id: &'a str, account: &'a str) -> impl Iterator<Item = usize> + 'a {
        let is_held = move |grant: &Grant| {
            grant.client_id == client_id
                && grant.account == account
                && grant.kind != Kind::Bot
                && grant.offline
                && !grant.revoked
        };
        self.grants.iter().enumerate().filter(move |(_, grant)| is_held(grant)).map(|(index, _)| index)
    }

    /// Ends the oldest of this person's grants until `cap` are left.
    fn drop_oldest(&mut self, client_id: &str, account: &str, cap: usize) {
        let held: Vec<usize> = self.held(client_id, account).collect();
        for index in &held[..held.len().saturating_sub(cap)] {
            if let Some(grant) = self.grants.get_mut(*index) {
                grant.revoked = true;
            }
        }
    }

    /// Gives a new access token (RFC 6749 §6), for `scope` or all that was granted; with a new refresh token in
    /// place of the old when `terms` say so.
    pub(crate) fn refresh(
        &mut self,
        client_id: &str,
        token: &str,
        scope: Option<Scope>,
        terms: Terms,
        fresh: Fresh,
    ) -> Result<Issued, TokenError> {
        let unknown =
            TokenError::InvalidGrant("the refresh token is unknown, used up, revoked or another client's");
        let Some(&Refresh { grant: id, issued_at, rotated_at }) = self.refresh.get(token) else {
            return Err(unknown);
        };
        let Some(grant) = self.grants.get_mut(id.0).filter(|grant| !grant.revoked) else {
            return Err(unknown);
        };
        if grant.client_id != client_id {
            return Err(unknown);
        }
        if terms.idle.is_some_and(|idle| terms.now.saturating_sub(grant.last_used) >= idle) {
            grant.revoked = true;
            return Err(TokenError::InvalidGrant("the refresh token was not used for too long"));
        }
        if rotated_at.is_some_and(|at| terms.now >= at.saturating_add(terms.grace)) {
            grant.revoked = terms.reuse_kills_family;
            return Err(unknown);
        }
        let scope = scope.unwrap_or_else(|| grant.scope.clone());
        if !scope.within(&grant.scope) {
            return Err(TokenError::InvalidScope("the scope goes beyond what was granted"));
        }
        grant.last_used = terms.now;
        let replaces = match terms.rotation {
            Rotation::Always => true,
            Rotation::ByClock(period) => terms.now.saturating_sub(issued_at) >= period,
            Rotation::Held(_) => false,
        };
        let refresh_token = match terms.rotation {
            _ if replaces => {
                if let Some(old) = self.refresh.get_mut(token) {
                    old.rotated_at.get_or_insert(terms.now);
                }
                Some(self.give_refresh(id, fresh.refresh, terms.now))
            }
            Rotation::Held(HeldToken::Omitted) => None,
            Rotation::Held(HeldToken::Empty) => Some(String::new()),
            Rotation::Held(HeldToken::Repeated) | Rotation::Always | Rotation::ByClock(_) => {
                Some(token.to_owned())
            }
        };
        if terms.kill_old_access {
            self.access.retain(|_, access| access.grant != id);
        }
        Ok(self.give_access(id, scope, terms, fresh.access, refresh_token))
    }

    /// Ends a token (RFC 7009 §2.1): a refresh token with its whole grant, an access token alone. A token that is
    /// not known is as good as ended.
    pub(crate) fn revoke(
        &mut self,
        client_id: &str,
        token: &str,
        access_tokens_only: bool,
    ) -> Result<(), TokenError> {
        let refresh = self.refresh.get(token).map(|refresh| refresh.grant);
        if refresh.is_some() && access_tokens_only {
            return Err(TokenError::UnsupportedTokenType);
        }
        let Some(id) = refresh.or_else(|| self.access.get(token).map(|access| access.grant)) else {
            return Ok(());
        };
        let Some(grant) = self.grants.get_mut(id.0) else { return Ok(()) };
        if grant.client_id != client_id {
            return Err(TokenError::InvalidGrant("the token was issued to another client"));
        }
        if refresh.is_some() {
            grant.revoked = true;
        } else {
            self.access.remove(token);
        }
        Ok(())
    }

    /// The account that a live access token speaks for, and its scope.
    pub(crate) fn bearer(&self, token: &str, now: i64) -> Option<(&str, &Scope)> {
        let access = self.access.get(token).filter(|access| access.expires_at > now)?;
        Some((self.live(access.grant)?.account.as_str(), &access.scope))
    }

    /// Lets every access token expire at `now`, if it has not before.
    pub(crate) fn expire_access_tokens(&mut self, now: i64) {
        for access in self.access.values_mut() {
            access.expires_at = access.expires_at.min(now);
        }
    }

    /// Takes down what was issued elsewhere: a device's code, an id_token.
    pub(crate) fn note(&mut self, secret: &str) {
        self.issued.push(secret.to_owned());
    }

    /// Every code and token ever issued, dead or alive, in order.
    pub(crate) fn issued(&self) -> &[String] {
        &self.issued
    }

    fn live(&self, GrantId(index): GrantId) -> Option<&Grant> {
        self.grants.get(index).filter(|grant| !grant.revoked)
    }

    fn give_refresh(&mut self, grant: GrantId, token: String, now: i64) -> String {
        self.issued.push(token.clone());
        self.refresh.insert(token.clone(), Refresh { grant, issued_at: now, rotated_at: None });
        token
    }

    fn give_access(
        &mut self,
        grant: GrantId,
        scope: Scope,
        terms: Terms,
        token: String,
        refresh_token: Option<String>,
    ) -> Issued {
        self.issued.push(token.clone());
        let expires_at = terms.now.saturating_add(terms.life);
        self.access.insert(token.clone(), Access { grant, scope: scope.clone(), expires_at });
        let (kind, account) = match self.grants.get(grant.0) {
            Some(grant) => (grant.kind, grant.account.clone()),
            None => (Kind::Only, String::new()),
        };
        Issued {
            access_token: token,
            refresh_token,
            scope,
            kind,
            account,
            nonce: None,
            id_token: None,
            bot: None,
        }
    }
}
