//! Requests about a grant that is there: its end, and whose account it is.

use http::{HeaderMap, HeaderValue, Method, header};
use oauth2::{RefreshToken as Refresh, RevocationUrl, StandardRevocableToken};
use tessera_types::{AccessToken, RefreshToken};

use super::Error;
use super::client::Client;
use super::descriptor::RevokeStyle;
use super::outgoing::{Kept, Outgoing, basic, bearer, with_agent};
use super::provider::Provider;
use crate::env::Env;

impl Provider {
    /// Ends a grant, where the provider has a way: the refresh token first, if there is one (RFC 7009 section 2.1).
    ///
    /// # Errors
    /// When the library cannot write it, or the client's key cannot sign.
    pub fn revoke(
        &self,
        env: &Env,
        client: Client<'_>,
        access_token: &AccessToken,
        refresh_token: Option<&RefreshToken>,
    ) -> Result<Option<Outgoing>, Error> {
        let Some(url) = &self.revoke else { return Ok(None) };
        let style = self.descriptor.revoke.as_ref().map_or(RevokeStyle::Rfc7009, |rules| rules.style);
        let outgoing = match style {
            RevokeStyle::Rfc7009 => {
                let token = match refresh_token {
                    Some(token) => StandardRevocableToken::from(Refresh::new(token.expose().to_owned())),
                    None => oauth2::AccessToken::new(access_token.expose().to_owned()).into(),
                };
                // The library takes https alone; whether plain http may be spoken is for `egress` to say.
                let mut secure = url.clone();
                let _ = secure.set_scheme("https");
                let with_url = self.client(client).set_revocation_url(RevocationUrl::from_url(secure));
                let asking = with_url.revoke_token(token).map_err(|_| Error::Unwritten("revoke"))?;
                let kept = Kept::default();
                let _ = asking.request(&kept);
                Outgoing { url: url.clone(), ..self.finished(env, client, kept.request("revoke")?)? }
            }
            RevokeStyle::Bearer => {
                let headers = HeaderMap::from_iter([(header::AUTHORIZATION, bearer(access_token)?)]);
                Outgoing { method: Method::POST, url: url.clone(), headers: with_agent(headers), body: None }
            }
            RevokeStyle::DeleteJson => {
                let mut url = url.clone();
                url.set_path(&url.path().replace("CLIENT_ID", client.id));
                let body = serde_json::json!({"access_token": access_token.expose()}).to_string();
                let headers = HeaderMap::from_iter([
                    (header::AUTHORIZATION, basic(client)?),
                    (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                ]);
                Outgoing {
                    method: Method::DELETE,
                    url,
                    headers: with_agent(headers),
                    body: Some(body.into()),
                }
            }
        };
        Ok(Some(outgoing))
    }

    /// Asks whose account it is, where the provider tells.
    ///
    /// # Errors
    /// When the token cannot stand in a header.
    pub fn userinfo(&self, access_token: &AccessToken) -> Result<Option<Outgoing>, Error> {
        let Some(url) = self.userinfo.clone() else { return Ok(None) };
        let headers = HeaderMap::from_iter([
            (header::AUTHORIZATION, bearer(access_token)?),
            (header::ACCEPT, HeaderValue::from_static("application/json")),
        ]);
        Ok(Some(Outgoing { method: Method::GET, url, headers: with_agent(headers), body: None }))
    }
}
