//! The three operations of the documentation page: store the App's credentials, store and get a user's.

use std::future::Future;
use std::pin::Pin;

use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tessera_types::{OAuth2App, RawJson, routes};

use super::{Client, decode, encode};
use crate::Error;

/// What is stored for a user, byte for byte.
#[derive(Clone, Debug)]
pub enum Stored {
    /// Nothing was ever stored: this user never connected. (The server answers 200 without a body, which
    /// the Go driver reports as the error `failed to decode response: EOF`.)
    Nothing,
    /// `null` was stored: this user has disconnected.
    Null,
    /// A value; `{}`, `false`, `0` and `""` are values too.
    Value(RawJson),
}

/// A request whose only result is that it was done. Await it.
pub type Pending<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

impl Client {
    /// Stores the App's client id and secret at the remote service, and with them whatever the App wants
    /// to keep (`remote_root_url`, `data`). The record is replaced as a whole; an empty one clears it.
    ///
    /// The acting user must be a system administrator, or the client the bot's (the original server
    /// refuses the bot).
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn store_oauth2_app(&self, app: &OAuth2App) -> Result<(), Error> {
        self.api(Method::POST, routes::OAUTH2_APP, Some(encode(app)?)).await.map(drop)
    }

    /// Stores any JSON value, of at most 8192 bytes, as this user's record with this App: usually the
    /// token object, [`OAuth2Token::expose`](crate::oauth2::OAuth2Token::expose). It is kept byte for byte,
    /// sealed, and given back by [`get_oauth2_user`](Self::get_oauth2_user) and in `context.oauth2.user`.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`is_too_large`](Error::is_too_large) over 8192 bytes, and
    /// [`is_conflict`](Error::is_conflict) where the server manages the connection itself.
    pub fn store_oauth2_user(&self, value: &impl Serialize) -> Pending<'_> {
        // Written at once, so that the future is one of any App's value, and the value need not outlive it.
        let body = encode(value);
        Box::pin(async move { self.api(Method::POST, routes::OAUTH2_USER, Some(body?)).await.map(drop) })
    }

    /// This user's record: `Ok(Some(value))`, or `Ok(None)` where there is none, be it that nothing was
    /// ever stored or that `null` was. [`oauth2_user_record`](Self::oauth2_user_record) tells those apart.
    ///
    /// What was stored as an object is read as one: a stored token object is an
    /// [`OAuth2Token`](crate::oauth2::OAuth2Token), not a `String`.
    ///
    /// # Errors
    ///
    /// See [`Error`]; [`Error::Decode`] when a value is stored that is no `T`.
    pub async fn get_oauth2_user<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        match self.oauth2_user_record().await? {
            Stored::Nothing | Stored::Null => Ok(None),
            Stored::Value(raw) => decode(raw.get().as_bytes()).map(Some),
        }
    }

    /// This user's record as it is stored, and whether it ever was.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn oauth2_user_record(&self) -> Result<Stored, Error> {
        let body = self.api(Method::GET, routes::OAUTH2_USER, None).await?;
        match body.trim_ascii() {
            b"" => Ok(Stored::Nothing),
            b"null" => Ok(Stored::Null),
            value => {
                let raw = RawJson::from_slice(value).map_err(|_| Error::Decode("not JSON".into()))?;
                Ok(Stored::Value(raw))
            }
        }
    }

    /// Forgets this user's record by storing `null`, as every driver does.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn disconnect_oauth2_user(&self) -> Result<(), Error> {
        self.store_oauth2_user(&()).await
    }
}
