//! Tokens of the forms that our pages carry (OS-57): each good for one sign-in and one purpose, for ten minutes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use tessera_types::AppId;

use super::{Connect, Error, Visitor};
use crate::vault::Domain;

/// How long a page can be answered.
const LIFE_MS: i64 = 10 * 60 * 1000;

/// What a form is for.
#[derive(Debug, Clone, Copy)]
pub enum PageForm<'a> {
    /// The confirm page's: connecting with this App.
    Connect(&'a AppId),
    /// The page that asks which of two accounts it shall be.
    Choice(&'a AppId),
    /// The accounts page's: ending a connection.
    Accounts,
    /// The confirm page's other one: signing out, as it is somebody else who looks at it.
    SignOut,
}

impl Connect {
    /// The token of a form.
    pub fn form_token(&self, form: PageForm<'_>, visitor: &Visitor<'_>) -> String {
        let until = self.env.now_ms() + LIFE_MS;
        format!("{until}.{}", self.form_mac(form, visitor, until))
    }

    /// Checks the token of a form.
    ///
    /// # Errors
    /// [`Error::StaleForm`] for every token but one that was made for this form and visitor less than ten minutes ago.
    pub fn check_form_token(
        &self,
        form: PageForm<'_>,
        visitor: &Visitor<'_>,
        token: &str,
    ) -> Result<(), Error> {
        let (until, mac) = token.split_once('.').ok_or_else(|| form.stale())?;
        let until: i64 = until.parse().map_err(|_| form.stale())?;
        let expected = self.form_mac(form, visitor, until);
        let fits = bool::from(expected.as_bytes().ct_eq(mac.as_bytes()));
        if fits && until >= self.env.now_ms() { Ok(()) } else { Err(form.stale()) }
    }

    fn form_mac(&self, form: PageForm<'_>, visitor: &Visitor<'_>, until: i64) -> String {
        let (purpose, app) = match form {
            PageForm::Connect(app) => ("connect", app.as_str()),
            PageForm::Choice(app) => ("choice", app.as_str()),
            PageForm::Accounts => ("accounts", ""),
            PageForm::SignOut => ("sign-out", ""),
        };
        let (session, user) = (&visitor.identity.session_id, &visitor.identity.user_id);
        let text = format!("{purpose}\n{session}\n{user}\n{app}\n{until}");
        URL_SAFE_NO_PAD.encode(self.vault.digest(Domain::Form, text.as_bytes()))
    }
}

impl PageForm<'_> {
    /// The error for who is late, with what to do about it.
    pub fn stale(self) -> Error {
        Error::StaleForm(match self {
            Self::Connect(_) | Self::Choice(_) => "open the connect link again",
            Self::Accounts | Self::SignOut => "open it again",
        })
    }
}
