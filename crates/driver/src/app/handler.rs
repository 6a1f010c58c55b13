//! What an App's functions look like, and how each becomes a call response.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tessera_types::{CallRequest, CallResponse};

use crate::respond;

/// A function that answers a call: `async fn(CallRequest) -> impl IntoCallResponse`. State of one's own
/// comes in by closure: `move |creq| handle(state.clone(), creq)`.
pub trait Handler: Send + Sync + 'static {
    /// Answers one call.
    fn handle(&self, creq: CallRequest) -> impl Future<Output = CallResponse> + Send;
}

impl<F, Fut, Out> Handler for F
where
    F: Fn(CallRequest) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Out> + Send,
    Out: IntoCallResponse,
{
    async fn handle(&self, creq: CallRequest) -> CallResponse {
        self(creq).await.into_call_response()
    }
}

/// What a handler may give back.
pub trait IntoCallResponse {
    /// The response that goes to the server.
    fn into_call_response(self) -> CallResponse;
}

impl IntoCallResponse for CallResponse {
    fn into_call_response(self) -> CallResponse {
        self
    }
}

/// Markdown of an `ok` response.
impl IntoCallResponse for String {
    fn into_call_response(self) -> CallResponse {
        respond::text(self)
    }
}

/// Markdown of an `ok` response.
impl IntoCallResponse for &str {
    fn into_call_response(self) -> CallResponse {
        respond::text(self)
    }
}

/// An `ok` response without anything in it.
impl IntoCallResponse for () {
    fn into_call_response(self) -> CallResponse {
        respond::ok()
    }
}

/// The error's `Display` is shown to the chat user as the text of an `error` response.
impl<T: IntoCallResponse, E: Display> IntoCallResponse for Result<T, E> {
    fn into_call_response(self) -> CallResponse {
        match self {
            Ok(value) => value.into_call_response(),
            Err(error) => respond::error(error),
        }
    }
}

type Answer = Pin<Box<dyn Future<Output = CallResponse> + Send>>;

/// Handlers of different types, side by side in a table.
#[derive(Clone)]
pub(crate) struct BoxedHandler(Arc<dyn Fn(CallRequest) -> Answer + Send + Sync>);

impl BoxedHandler {
    pub(crate) fn new(handler: impl Handler) -> Self {
        let handler = Arc::new(handler);
        Self(Arc::new(move |creq| {
            let handler = Arc::clone(&handler);
            Box::pin(async move { handler.handle(creq).await })
        }))
    }

    /// Runs the handler in a task of its own: it ends what it began (a code that was swapped is also
    /// stored) although the caller hung up, and a panic in it becomes an error response.
    pub(crate) async fn run(&self, creq: CallRequest) -> CallResponse {
        let path = creq.path.clone();
        match tokio::spawn((self.0)(creq)).await {
            Ok(response) => response,
            Err(_) => {
                tracing::error!(path, "the handler panicked");
                respond::error("the App failed while it handled this call; see its log")
            }
        }
    }
}
