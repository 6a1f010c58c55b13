//! The four Go examples of the documentation page "OAuth2 authentication", in Rust.
//!
//! # Register the provider's client ID and client secret
//!
//! ```
//! use tessera_driver::{CallRequest, CallResponse, Client, ClientSecret, Error, OAuth2App, respond};
//!
//! /// The App call invoked by the system administrator to register OAuth2 provider details.
//! /// The call should be configured to accept two values: client_id and client_secret.
//! async fn configure(creq: CallRequest) -> Result<CallResponse, Error> {
//!     // Read the client_id and client_secret values from the request
//!     let (Some(client_id), Some(client_secret)) =
//!         (creq.value_str("client_id"), creq.value_str("client_secret"))
//!     else {
//!         return Ok(respond::error("client_id and client_secret are both needed"));
//!     };
//!
//!     // Get an instance of the API client as the acting user
//!     let as_user = Client::as_acting_user(&creq.context);
//!
//!     // Register the OAuth2 provider's details (client ID and client secret)
//!     let client_secret = ClientSecret::new(client_secret);
//!     as_user.store_oauth2_app(&OAuth2App { client_id, client_secret, ..OAuth2App::default() }).await?;
//!
//!     // Respond with a success message
//!     Ok(respond::text("updated OAuth client credentials"))
//! }
//! # use tessera_driver::{App, manifest, test};
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let service = test::FakeService::start().await.unwrap();
//! # service.make_admin("root");
//! # let app = App::new(manifest("page", "Page")).call("/configure", configure).into_router();
//! # let call = test::call("/configure").service(&service).acting_user("root");
//! # let call = call.value("client_id", "xxxxxxxxxxxx").value("client_secret", "yyyyyyyyyyyy");
//! # assert_eq!(call.send(app).await.unwrap().text, "updated OAuth client credentials");
//! # assert_eq!(service.stored_app().client_secret.expose(), "yyyyyyyyyyyy");
//! # });
//! ```
//!
//! # The configuration for exchanging a code
//!
//! Any OAuth2 library will do; this is the `oauth2` crate. Its types have the same names as those of Go's.
//!
//! ```
//! use oauth2::basic::BasicClient;
//! use oauth2::{AuthUrl, ClientId, ClientSecret, EndpointNotSet, EndpointSet, RedirectUrl, Scope, TokenUrl};
//! use tessera_driver::CallRequest;
//!
//! type Config = BasicClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;
//!
//! fn oauth2_config(creq: &CallRequest) -> Result<Config, url::ParseError> {
//!     let oauth2 = &creq.context.oauth2;
//!     Ok(BasicClient::new(ClientId::new(oauth2.client_id.clone()))
//!         .set_client_secret(ClientSecret::new(oauth2.client_secret.expose().to_owned()))
//!         .set_auth_uri(AuthUrl::new("https://accounts.google.com/o/oauth2/auth".into())?)
//!         .set_token_uri(TokenUrl::new("https://oauth2.googleapis.com/token".into())?)
//!         .set_redirect_uri(RedirectUrl::new(oauth2.complete_url.clone())?))
//! }
//!
//! /// What is asked for; Go has it in the configuration, here it goes into the authorization URL.
//! fn scopes() -> impl Iterator<Item = Scope> {
//!     [
//!         "https://www.googleapis.com/auth/calendar",
//!         "https://www.googleapis.com/auth/userinfo.profile",
//!         "https://www.googleapis.com/auth/userinfo.email",
//!     ]
//!     .into_iter()
//!     .map(|scope| Scope::new(scope.into()))
//! }
//! # let creq = tessera_driver::test::call("/oauth2/complete").acting_user("user-1").call_request();
//! # let config = oauth2_config(&creq).unwrap();
//! # let url = config.authorize_url(|| oauth2::CsrfToken::new("s".into())).add_scopes(scopes()).url().0;
//! # assert!(url.as_str().contains("userinfo.email") && url.as_str().contains("%2Foauth2%2Fremote%2Fcomplete"));
//! ```
//!
//! # Set a user access token
//!
//! ```
//! # use oauth2::basic::BasicClient;
//! # use oauth2::{ClientId, EndpointNotSet, EndpointSet, TokenUrl};
//! # type Config = BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;
//! # fn oauth2_config(creq: &CallRequest) -> Result<Config, url::ParseError> {
//! #     Ok(BasicClient::new(ClientId::new("id".into())).set_token_uri(TokenUrl::new("https://idp.example/token".into())?))
//! # }
//! # #[derive(Debug, thiserror::Error)] #[error("no network here")] struct HttpError;
//! # async fn send(request: oauth2::HttpRequest) -> Result<oauth2::HttpResponse, HttpError> {
//! #     assert_eq!(request.uri(), "https://idp.example/token");
//! #     let body = br#"{"access_token":"at-1","token_type":"bearer","refresh_token":"rt-1"}"#.to_vec();
//! #     Ok(http::Response::new(body))
//! # }
//! use oauth2::{AuthorizationCode, TokenResponse};
//! use tessera_driver::oauth2::OAuth2Token;
//! use tessera_driver::time::OffsetDateTime;
//! use tessera_driver::{AccessToken, CallRequest, CallResponse, Client, RefreshToken, respond};
//!
//! /// The App call invoked at the end of an OAuth2 authorization flow.
//! async fn oauth2_complete(creq: CallRequest) -> Result<CallResponse, Box<dyn std::error::Error + Send + Sync>> {
//!     // Read the authorization code from the call request values. There is none when the user said no.
//!     let auth_code = creq.value_str("code").ok_or("the provider sent no code")?;
//!
//!     // Exchange the authorization code for a token; `send` is the HTTP client, without redirects
//!     let answer = oauth2_config(&creq)?
//!         .exchange_code(AuthorizationCode::new(auth_code))
//!         .request_async(&send)
//!         .await?;
//!     let token = OAuth2Token::new(AccessToken::new(answer.access_token().secret()))
//!         .refresh_token(answer.refresh_token().map(|token| RefreshToken::new(token.secret())))
//!         .expires_in(OffsetDateTime::now_utc(), answer.expires_in());
//!
//!     // Get an instance of the API client as the acting user
//!     let client = Client::as_acting_user(&creq.context);
//!
//!     // Store the OAuth2 token for the acting user
//!     client.store_oauth2_user(&token.expose()).await?;
//!
//!     // Return a success response
//!     Ok(respond::ok())
//! }
//! # use tessera_driver::{App, manifest, test};
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let service = test::FakeService::start().await.unwrap();
//! # let app = App::new(manifest("page", "Page")).call("/oauth2/complete", oauth2_complete).into_router();
//! # let call = test::call("/oauth2/complete").service(&service).acting_user("user-1").value("code", "c0de");
//! # assert_eq!(call.send(app).await.unwrap().kind, "ok");
//! # assert_eq!(service.stored_user("user-1").unwrap()["access_token"], "at-1");
//! # });
//! ```
//!
//! # Get a user access token
//!
//! The page declares `var userToken string` here, while the example before it stored the whole token object:
//! with what that one stored, Go answers `json: cannot unmarshal object into Go value of type string`.
//! **What was stored as an object is read as an object**, so the type here is the token's. An App that
//! stored a plain string reads a `String`.
//!
//! ```
//! use tessera_driver::oauth2::OAuth2Token;
//! use tessera_driver::{CallRequest, CallResponse, Client, Error, respond};
//!
//! async fn use_remote_service(creq: CallRequest) -> Result<CallResponse, Error> {
//!     // Get an instance of the API client as the acting user
//!     let client = Client::as_acting_user(&creq.context);
//!
//!     // Get the user's token
//!     let Some(user_token) = client.get_oauth2_user::<OAuth2Token>().await? else {
//!         return Ok(respond::error("You are not connected."));
//!     };
//!
//!     // Use the token
//!     let _bearer = user_token.access_token.expose();
//!
//!     // Return a success response
//!     Ok(respond::ok())
//! }
//! # use tessera_driver::{App, manifest, test};
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! # let service = test::FakeService::start().await.unwrap();
//! # let app = App::new(manifest("page", "Page")).call("/use", use_remote_service).into_router();
//! # let call = test::call("/use").service(&service).acting_user("user-1");
//! # assert_eq!(call.send(app.clone()).await.unwrap().text, "You are not connected.");
//! # service.set_stored_user("user-1", &serde_json::json!({"access_token": "at-1"})).unwrap();
//! # assert_eq!(call.send(app).await.unwrap().kind, "ok");
//! # let client = service.client_of("user-1");
//! # assert!(matches!(client.get_oauth2_user::<String>().await, Err(Error::Decode(_))));
//! # });
//! ```
//!
//! With `oauth2_user` expanded the record comes with the call, and no request is needed:
//! [`creq.oauth2_user::<OAuth2Token>()`](crate::CallRequestExt::oauth2_user).
