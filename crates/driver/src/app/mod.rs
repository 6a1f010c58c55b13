//! The App's side of HTTP: a manifest, calls, bindings and static files.
//!
//! | path | method | answer |
//! |---|---|---|
//! | `/ping` | any | 200 `{}` |
//! | `/manifest.json` | GET | 200, the manifest |
//! | `/bindings`, or the manifest's own | any | 200, a call response with the bindings as `data` |
//! | a call's path | any | 400 and the reason when the body is no call request; else 200 and a call response, errors included |
//! | `/static/…` | GET, HEAD | the file |
//! | other | | 404 |
//!
//! With [`App::jwt_secret`] all of them but `/manifest.json` and `/static/…`, which the server fetches
//! unsigned, answer 401 and the reason unless the request is signed.

mod files;
mod handler;
mod jwt;
mod router;

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tessera_types::{Binding, CallRequest, JwtSecret, Manifest};
use tokio::net::TcpListener;

use crate::binding::TopBinding;
use crate::respond;
use files::{File, Files};
use handler::BoxedHandler;
pub use handler::{Handler, IntoCallResponse};
pub use jwt::JWT_HEADER;
use jwt::Verifier;

/// The largest call request that is read unless [`App::body_limit`] says otherwise, in bytes: 4 MiB.
/// A call carries at most a handful of expanded entities and what the user typed.
pub const BODY_LIMIT: usize = 4 << 20;

/// An App: what it is, and what it does when it is called.
///
/// ```
/// use tessera_driver::{App, CallRequest, binding, call, manifest};
///
/// let manifest = manifest("hello", "Hello").homepage("https://example.com").location("/command");
/// let app = App::new(manifest.http("http://localhost:4000"))
///     .bindings(binding::command("hello").child(binding::action("greet", call("/greet"))))
///     .call("/greet", async |_creq: CallRequest| "Hello!");
/// let router: axum::Router = app.into_router();
/// ```
pub struct App {
    manifest: Manifest,
    calls: HashMap<String, BoxedHandler>,
    files: Files,
    verifier: Option<Verifier>,
    body_limit: usize,
}

impl App {
    /// An App that answers `/ping` and serves its manifest, and as yet does nothing.
    pub fn new(manifest: impl Into<Manifest>) -> Self {
        Self {
            manifest: manifest.into(),
            calls: HashMap::new(),
            files: Files::default(),
            verifier: None,
            body_limit: BODY_LIMIT,
        }
    }

    /// What a call to `path` does. The path begins with `/`; it is compared after percent-decoding, so
    /// write it plainly: `/größe`. A later handler for the same path replaces the earlier one.
    #[must_use]
    pub fn call(mut self, path: &str, handler: impl Handler) -> Self {
        self.calls.insert(path.to_owned(), BoxedHandler::new(handler));
        self
    }

    /// The bindings: a list, one [`Binding`], or with [`bindings_with`](Self::bindings_with) a handler.
    #[must_use]
    pub fn bindings(self, bindings: impl IntoBindings) -> Self {
        let bindings = bindings.into_bindings();
        self.bindings_with(move |_creq: CallRequest| {
            let response = respond::bindings(&bindings);
            async move { response }
        })
    }

    /// Bindings that depend on who asks: a handler whose response has them as `data`
    /// ([`respond::bindings`]). The manifest's `bindings` call says what is expanded for it, and where it is.
    #[must_use]
    pub fn bindings_with(self, handler: impl Handler) -> Self {
        let path = self.manifest.bindings_call().path;
        self.call(&path, handler)
    }

    /// Serves `/static/<name>` from memory; `name` may contain slashes.
    #[must_use]
    pub fn static_file(mut self, name: &str, content_type: &str, bytes: impl Into<Bytes>) -> Self {
        let file = File { content_type: content_type.to_owned(), bytes: bytes.into() };
        self.files.kept.insert(name.to_owned(), file);
        self
    }

    /// Serves `/static/…` from a folder, except hidden files and what links out of it.
    #[must_use]
    pub fn static_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.files.folder = Some(folder.into());
        self
    }

    /// Takes calls only when they are signed with this secret, and says so in the manifest (`use_jwt`).
    #[must_use]
    pub fn jwt_secret(mut self, secret: JwtSecret) -> Self {
        if let Some(http) = &mut self.manifest.http {
            http.use_jwt = true;
        }
        self.verifier = Some(Verifier::new(&secret));
        self
    }

    /// The largest call request that is read, in bytes; what is larger is answered 413.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// What is served as `/manifest.json`.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The App as an axum router, for an axum of one's own: `nest` it under a path (then the manifest's
    /// `root_url` ends in that path), or `merge` it into a router that has no fallback.
    pub fn into_router(self) -> axum::Router {
        router::router(Arc::new(self))
    }

    /// Serves the App until the process ends.
    ///
    /// # Errors
    ///
    /// When the listener breaks.
    pub async fn serve(self, listener: TcpListener) -> io::Result<()> {
        axum::serve(listener, self.into_router()).await
    }

    /// Serves the App until `stop` is ready, then finishes what it is doing.
    ///
    /// # Errors
    ///
    /// When the listener breaks.
    pub async fn serve_until(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        axum::serve(listener, self.into_router()).with_graceful_shutdown(stop).await
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut paths: Vec<_> = self.calls.keys().collect();
        paths.sort();
        f.debug_struct("App")
            .field("app_id", &self.manifest.app_id)
            .field("calls", &paths)
            .finish_non_exhaustive()
    }
}

/// A list of bindings, or one.
pub trait IntoBindings {
    /// The list.
    fn into_bindings(self) -> Vec<Binding>;
}

impl IntoBindings for Vec<Binding> {
    fn into_bindings(self) -> Vec<Binding> {
        self
    }
}

impl<const N: usize> IntoBindings for [Binding; N] {
    fn into_bindings(self) -> Vec<Binding> {
        self.into()
    }
}

impl IntoBindings for Binding {
    fn into_bindings(self) -> Vec<Binding> {
        vec![self]
    }
}

impl IntoBindings for TopBinding {
    fn into_bindings(self) -> Vec<Binding> {
        vec![self.into()]
    }
}
