//! Asking for a code that a person types in on another device (RFC 8628 sections 3.1 and 3.2).

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use oauth2::{DeviceAuthorizationUrl, Scope};
use tessera_types::AuthorizationCode;
use url::Url;

use super::Error;
use super::client::Client;
use super::descriptor::Descriptor;
use super::failure::Failure;
use super::outgoing::{Kept, Outgoing};
use super::provider::Provider;
use super::reading::speakable;
use super::reply::{code_of, members, number, text};
use crate::egress::Egress;
use crate::env::Env;

/// The pace where the reply does not say (RFC 8628 section 3.2).
const INTERVAL: Duration = Duration::from_secs(5);
/// The life where the reply does not say, or not believably.
const LIFE: Duration = Duration::from_secs(600);
/// The longest life that is believed.
const LONGEST_LIFE: Duration = Duration::from_secs(24 * 3600);
/// The most characters that a person is asked to type.
const LONGEST_CODE: usize = 64;

/// What a provider answers.
#[derive(Debug, Clone)]
pub struct Device {
    /// What tokens are asked for with; whoever has it gets them.
    pub device_code: AuthorizationCode,
    /// What the person types in; for that person alone.
    pub user_code: String,
    /// Where.
    pub verification_uri: Url,
    /// The same with the code in it, if the provider has that.
    pub verification_uri_complete: Option<Url>,
    /// How long both codes live.
    pub expires_in: Duration,
    /// How long to wait between two questions, at least.
    pub interval: Duration,
}

impl Provider {
    /// Asks for a code, where the provider has that.
    ///
    /// # Errors
    /// When the library cannot write it, or the client's key cannot sign.
    pub fn device(
        &self,
        env: &Env,
        client: Client<'_>,
        scopes: &[String],
    ) -> Result<Option<Outgoing>, Error> {
        let Some(url) = self.device.clone() else { return Ok(None) };
        let library = self.client(client).set_device_authorization_url(DeviceAuthorizationUrl::from_url(url));
        let mut asking = library.exchange_device_code();
        let scopes = self.scopes(scopes);
        if !scopes.is_empty() {
            let joined = self.joined(scopes.into_iter());
            asking = match self.descriptor.scopes.param.as_str() {
                "scope" => asking.add_scope(Scope::new(joined)),
                param => asking.add_extra_param(param.to_owned(), joined),
            };
        }
        let kept = Kept::default();
        let _: Result<oauth2::StandardDeviceAuthorizationResponse, _> = asking.request(&kept);
        self.finished(env, client, kept.request("device")?).map(Some)
    }

    /// Sends such a request, once, and reads the reply.
    ///
    /// # Errors
    /// What the refusal means.
    pub async fn device_code(
        &self,
        egress: &Egress,
        outgoing: Outgoing,
        now_ms: i64,
    ) -> Result<Device, Failure> {
        let reply = outgoing.send(egress).await?;
        read_device(&self.descriptor, reply.status, &reply.headers, &reply.body, now_ms)
    }
}

/// Reads a reply, as leniently as that of a token endpoint: Google says `verification_url`.
///
/// # Errors
/// When the provider refused, or a code or the address is not there.
pub fn read_device(
    provider: &Descriptor,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now_ms: i64,
) -> Result<Device, Failure> {
    let told = |code: Option<&str>| Failure::told(&provider.errors, status, headers, code, now_ms);
    let unreadable = || match status.is_success() {
        true => Failure::unreadable("unreadable_reply", status.as_u16()),
        false => told(None),
    };
    let members = members(body).ok_or_else(unreadable)?;
    if let Some(code) = code_of(provider, &members) {
        return Err(told(Some(&code)));
    }
    let place = |name: &str| speakable(name, &text(&members, name)?).ok();
    let seconds = |name: &str| {
        let seconds = members.get(name).and_then(number).filter(|seconds: &f64| *seconds >= 1.0)?;
        Duration::try_from_secs_f64(seconds).ok().filter(|life| *life <= LONGEST_LIFE)
    };
    let user_code = text(&members, "user_code")
        .filter(|code| code.chars().count() <= LONGEST_CODE && !code.chars().any(char::is_control));
    Ok(Device {
        device_code: text(&members, "device_code").map(AuthorizationCode::new).ok_or_else(unreadable)?,
        user_code: user_code.ok_or_else(unreadable)?,
        verification_uri: place("verification_uri")
            .or_else(|| place("verification_url"))
            .ok_or_else(unreadable)?,
        verification_uri_complete: place("verification_uri_complete")
            .or_else(|| place("verification_url_complete")),
        expires_in: seconds("expires_in").unwrap_or(LIFE),
        interval: seconds("interval").unwrap_or(INTERVAL),
    })
}
