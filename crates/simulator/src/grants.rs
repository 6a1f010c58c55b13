//! Codes, grants and tokens: what was given to whom, and what of it still lives.
//!
//! Time and chance are arguments here. A *grant* is one person's consent given to one client; the tokens that
//! follow from it belong to it and end with it.

use std::collections::HashMap;

use crate::error::TokenError;
use crate::request::AuthorizationRequest;
use crate::scope::Scope;

#[derive(Default)]
pub(crate) struct Grants {
    grants: Vec<Grant>,
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, Refresh>,
    issued: Vec<String>,
}

/// Index into `Grants::grants`; none is ever removed.
#[derive(Clone, Copy)]
struct GrantId(usize);

struct Grant {
    client_id: String,
    account: String,
    scope: Scope,
    revoked: bool,
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
    /// Replaced by a newer one.
    rotated: bool,
}

/// New random texts, made before the lock is taken.
pub(crate) struct Fresh {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// What a token request brings back.
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    pub(crate) scope: Scope,
}

/// The conditions of a token request that do not come from the client.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) now: i64,
    /// Seconds that the access token lives.
    pub(crate) life: i64,
    pub(crate) rotate: bool,
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
        let scope = known.request.scope.clone();
        let offline = known.request.offline;
        self.grants.push(Grant {
            client_id: client_id.to_owned(),
            account: known.account.clone(),
            scope: scope.clone(),
            revoked: false,
        });
        let refresh_token = offline.then(|| self.give_refresh(grant, fresh.refresh));
        Ok(self.give_access(grant, scope, terms, fresh.access, refresh_token))
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
        let id = self.refresh.get(token).filter(|refresh| !refresh.rotated).map(|refresh| refresh.grant);
        let Some((id, grant)) = id.and_then(|id| Some((id, self.live(id)?))) else { return Err(unknown) };
        if grant.client_id != client_id {
            return Err(unknown);
        }
        let scope = scope.unwrap_or_else(|| grant.scope.clone());
        if !scope.within(&grant.scope) {
            return Err(TokenError::InvalidScope("the scope goes beyond what was granted"));
        }
        let mut refresh_token = None;
        if terms.rotate {
            if let Some(old) = self.refresh.get_mut(token) {
                old.rotated = true;
            }
            refresh_token = Some(self.give_refresh(id, fresh.refresh));
        }
        Ok(self.give_access(id, scope, terms, fresh.access, refresh_token))
    }

    /// Ends a token (RFC 7009 §2.1): a refresh token with its whole grant, an access token alone. A token that is
    /// not known is as good as ended.
    pub(crate) fn revoke(&mut self, client_id: &str, token: &str) -> Result<(), TokenError> {
        let refresh = self.refresh.get(token).map(|refresh| refresh.grant);
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

    /// Every code and token ever issued, dead or alive, in order.
    pub(crate) fn issued(&self) -> &[String] {
        &self.issued
    }

    fn live(&self, GrantId(index): GrantId) -> Option<&Grant> {
        self.grants.get(index).filter(|grant| !grant.revoked)
    }

    fn give_refresh(&mut self, grant: GrantId, token: String) -> String {
        self.issued.push(token.clone());
        self.refresh.insert(token.clone(), Refresh { grant, rotated: false });
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
        Issued { access_token: token, refresh_token, scope }
    }
}
