//! A token that lives long enough, of a connection that the server manages.

use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};
use tessera_types::routes;

use super::Client;
use crate::{Connection, ConnectionStatus, Error};

/// Says how a managed connection stands, unless all is well.
const STATUS: &str = "tessera-connection";

impl Client {
    /// A token of this user's account at the remote service, with as much life left as is asked for, and how the
    /// connection stands. The server refreshes it when need be, so ask for each use and keep none.
    ///
    /// `None` asks for what is enough for a request or two: a minute, where tokens live that long. While the provider is
    /// out of reach, an older token is given as long as it lives at all. `Some(min_ttl)`, rounded up to whole seconds,
    /// is for work that takes longer, and insists:
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use std::time::Duration;
    /// use tessera_driver::test::FakeService;
    /// use tessera_driver::{ConnectionStatus, Error};
    ///
    /// let service = FakeService::start().await.unwrap();
    /// service.manage(Duration::from_secs(3600));
    /// let client = service.client_of("ann");
    /// assert_eq!(client.oauth2_token(None).await.unwrap().status, ConnectionStatus::NotConnected);
    ///
    /// service.set_connection("ann", ConnectionStatus::Connected);
    /// let connection = client.oauth2_token(Duration::from_secs(600)).await.unwrap();
    /// assert!(connection.token.unwrap().expiry.is_some());
    /// let too_long = client.oauth2_token(Duration::from_secs(7200)).await.unwrap_err();
    /// assert!(matches!(too_long, Error::TokenTooShort { .. }));
    /// # });
    /// ```
    ///
    /// Of a connection that the App keeps itself this is the token object that it stored, however old.
    ///
    /// # Errors
    ///
    /// [`Error::TokenTooShort`] where the provider's tokens never live that long; [`Error::TokenUnavailable`] where
    /// `min_ttl` was given and the provider cannot be asked now (without it that is a
    /// [status](ConnectionStatus::Unavailable)); [`Error::Decode`] where the App stored something that is no token
    /// object; else see [`Error`].
    pub async fn oauth2_token(&self, min_ttl: impl Into<Option<Duration>>) -> Result<Connection, Error> {
        let min_ttl = min_ttl.into();
        let mut path = format!("{}{}", routes::API_V1, routes::OAUTH2_USER);
        if let Some(least) = min_ttl {
            let seconds = least.as_secs().saturating_add((least.subsec_nanos() > 0).into());
            path.push_str(&format!("?min_ttl={seconds}"));
        }
        let answer = self.ask(Method::GET, &path, None).await?;
        let retry_after = retry_after(&answer.headers);
        match (answer.status, retry_after) {
            (StatusCode::UNPROCESSABLE_ENTITY, _) => Err(Error::TokenTooShort { text: answer.error_text() }),
            (StatusCode::SERVICE_UNAVAILABLE, Some(retry_after)) => match min_ttl {
                Some(_) => Err(Error::TokenUnavailable { text: answer.error_text(), retry_after }),
                None => {
                    let status = ConnectionStatus::Unavailable { retry_after: Some(retry_after) };
                    Ok(Connection { status, token: None })
                }
            },
            _ => {
                let word = answer.headers.get(STATUS).and_then(|word| word.to_str().ok()).map(str::to_owned);
                Connection::read(&answer.good()?, word.as_deref())
            }
        }
    }
}

/// Whole seconds, as the server writes it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
