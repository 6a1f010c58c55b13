//! Reading a descriptor strictly: a field that is not known, or whose value does not fit, is refused with its name.

use url::Url;

use super::Error;
use super::descriptor::{ClientAuth, Descriptor, Pkce, RevokeStyle};
use super::place::{TENANT, Template};

impl Descriptor {
    /// Reads one.
    ///
    /// # Errors
    /// With the place of what does not fit, such as `scopes.separator`.
    pub fn read(text: &str) -> Result<Self, Error> {
        let file = toml::Deserializer::parse(text).map_err(|error| {
            let (line, column) = place_of(text, error.span());
            Error::Syntax { line, column, what: error.message().to_owned() }
        })?;
        let descriptor: Self = serde_path_to_error::deserialize(file).map_err(|error| {
            let field = error.path().to_string();
            Error::Field(
                if field == "." { "the descriptor".into() } else { field },
                error.inner().message().into(),
            )
        })?;
        descriptor.check()?;
        Ok(descriptor)
    }

    /// What a shape alone does not say.
    fn check(&self) -> Result<(), Error> {
        let wrong = |field: &str, what: &str| Err(Error::Field(field.to_owned(), what.to_owned()));
        let plain = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !plain(&self.name) {
            return wrong("name", "must be lower-case letters, digits and dashes, such as `my-provider`");
        }
        if self.display_name.trim().is_empty() {
            return wrong("display_name", "is empty: write the name that people know");
        }
        if self.discovery && self.issuer.is_none() {
            return wrong("issuer", "is needed for discovery: write, for instance, https://id.example.com");
        }
        for (field, address) in [("authorize_url", &self.authorize_url), ("token_url", &self.token_url)] {
            if !self.discovery && address.is_none() {
                return wrong(field, "is needed, unless `discovery = true`");
            }
        }
        for (field, address) in self.addresses() {
            for name in address.names() {
                let of_the_token = field == "id_token_issuer" && name == TENANT;
                if !of_the_token && !self.placeholders.contains_key(name) {
                    return Err(Error::Field(
                        field.into(),
                        format!("names {{{name}}}, which `placeholders` does not have"),
                    ));
                }
            }
            if let Some(scheme) = address.scheme()
                && !matches!(scheme, "https" | "http")
            {
                return wrong(field, "must begin with https:// (http:// is for this machine in development)");
            }
        }
        for (name, placeholder) in &self.placeholders {
            if name == TENANT {
                return Err(Error::Field(
                    format!("placeholders.{name}"),
                    "stands for a token's own tenant: take another name".into(),
                ));
            }
            if let Some(default) = &placeholder.default
                && let Err(why) = placeholder.accept(default)
            {
                return Err(Error::Field(format!("placeholders.{name}.default"), why));
            }
        }
        // What the service builds itself must not be said twice, let alone differently.
        let own = [
            "client_id",
            "client_secret",
            "redirect_uri",
            "state",
            "code",
            "code_challenge",
            "code_verifier",
            "code_challenge_method",
            "response_type",
            "grant_type",
            "refresh_token",
            "nonce",
            "client_assertion",
            "client_assertion_type",
        ];
        for (table, params) in [
            ("authorize_params", &self.authorize_params),
            ("token_params", &self.token_params),
            ("refresh_params", &self.refresh_params),
        ] {
            if let Some(name) = own.into_iter().find(|name| params.contains_key(*name)) {
                let what = match name {
                    // OS-15: no other flow than the code's.
                    "response_type" | "grant_type" => "only the code flow is offered: leave it out",
                    _ => "is written by the service: leave it out",
                };
                return Err(Error::Field(format!("{table}.{name}"), what.into()));
            }
        }
        if self.authorize_params.get("response_mode").is_some_and(|mode| mode != "query") {
            return wrong("authorize_params.response_mode", "only `query` is understood");
        }
        if self.scopes.none && !self.scopes.default.is_empty() {
            return wrong("scopes.default", "there are none to ask for, says `scopes.none`");
        }
        if self.client_auth == Some(ClientAuth::None) && self.pkce == Pkce::Unsupported {
            return wrong("pkce", "a client without a secret needs it");
        }
        let signs = self.client_auth == Some(ClientAuth::PrivateKeyJwt);
        if self.assertion_audience.is_some() && !signs {
            return wrong("assertion_audience", "is for `client_auth = \"private_key_jwt\"` alone");
        }
        if let Some(revoke) = &self.revoke
            && revoke.style == RevokeStyle::DeleteJson
            && matches!(self.client_auth, Some(ClientAuth::PrivateKeyJwt | ClientAuth::None))
        {
            return wrong("revoke.style", "delete-json needs a client's secret in the header");
        }
        Ok(())
    }

    /// Every address, with its field.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&'static str, &Template)> {
        let fields = [
            ("documentation", self.documentation.as_ref()),
            ("issuer", self.issuer.as_ref()),
            ("id_token_issuer", self.id_token_issuer.as_ref()),
            ("authorize_url", self.authorize_url.as_ref()),
            ("token_url", self.token_url.as_ref()),
            ("refresh_url", self.refresh_url.as_ref()),
            ("device_url", self.device_url.as_ref()),
            ("jwks_url", self.jwks_url.as_ref()),
            ("revoke.url", self.revoke.as_ref().map(|revoke| &revoke.url)),
            ("userinfo_url", self.userinfo_url.as_ref()),
            ("permissions_url", self.permissions_url.as_ref()),
        ];
        fields.into_iter().filter_map(|(field, address)| Some((field, address?)))
    }
}

/// Line and column of a place in a file, from 1.
fn place_of(text: &str, span: Option<std::ops::Range<usize>>) -> (usize, usize) {
    let before = text.get(..span.map_or(0, |span| span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}

/// An address that was filled in, as a URL that may be spoken to.
pub(super) fn speakable(field: &str, text: &str) -> Result<Url, Error> {
    let wrong = |what: &str| Error::Field(field.to_owned(), format!("{text:?} {what}"));
    let url = Url::parse(text).map_err(|_| wrong("is no URL"))?;
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() {
        return Err(wrong("is no https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(wrong("must not have a user name, password or fragment"));
    }
    Ok(url)
}
