//! Ending a grant at its provider, and what its answer means (RFC 7009 section 2.2).

use http::StatusCode;
use tessera_types::{AccessToken, RefreshToken};
use url::Url;

use super::{Client, Error, Failure, Outgoing, Provider, reply};
use crate::egress::Egress;
use crate::env::Env;

/// What became of a grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The provider says that it is ended.
    Revoked,
    /// The provider does not know the token: it is ended as well.
    UnknownToken,
    /// The provider has no way to end it from here.
    NotOffered,
    /// It is not.
    Failed(Failure),
}

impl Provider {
    /// Whether ending one grant ends every grant of that person and client.
    pub fn ends_all(&self) -> bool {
        self.descriptor().revoke.as_ref().is_some_and(|rules| rules.ends_all)
    }

    /// Where a person sees and takes back what was granted.
    pub fn permissions_url(&self) -> Option<&Url> {
        self.permissions.as_ref()
    }

    /// Ends a grant: by its refresh token, and where the provider takes none of those, by its access token.
    ///
    /// # Errors
    /// When a request cannot be written.
    pub async fn end(
        &self,
        egress: &Egress,
        client: Client<'_>,
        access_token: &AccessToken,
        refresh_token: Option<&RefreshToken>,
        env: &Env,
    ) -> Result<Ended, Error> {
        let mut refresh_token = refresh_token;
        loop {
            let Some(request) = self.revoke(env, client, access_token, refresh_token)? else {
                return Ok(Ended::NotOffered);
            };
            let ended = self.end_by(egress, request, env.now_ms()).await;
            match &ended {
                Ended::Failed(failure)
                    if failure.code == "unsupported_token_type" && refresh_token.is_some() =>
                {
                    refresh_token = None;
                }
                _ => return Ok(ended),
            }
        }
    }

    async fn end_by(&self, egress: &Egress, request: Outgoing, now_ms: i64) -> Ended {
        let reply = match request.send(egress).await {
            Ok(reply) => reply,
            Err(failure) => return Ended::Failed(failure),
        };
        let refusal = reply::refusal(self.descriptor(), reply.status, &reply.headers, &reply.body, now_ms);
        match refusal {
            None if reply.status.is_success() => Ended::Revoked,
            Some(failure) if is_gone(&failure) => Ended::UnknownToken,
            Some(failure) => Ended::Failed(failure),
            // GitHub and the like: there is no such token.
            None if matches!(reply.status, StatusCode::NOT_FOUND | StatusCode::GONE) => Ended::UnknownToken,
            None => Ended::Failed(Failure::told(
                &self.descriptor().errors,
                reply.status,
                &reply.headers,
                None,
                now_ms,
            )),
        }
    }
}

/// Codes that say that the token is none any more.
fn is_gone(failure: &Failure) -> bool {
    ["invalid_token", "invalid_grant", "token_revoked", "token_expired", "invalid_auth", "expired_token"]
        .contains(&failure.code.as_str())
}
