//! Asking an App everything that a server would before anybody uses it.

use std::sync::Arc;
use std::time::Duration;

use tessera_types::{App, DeployType, JwtSecret, Manifest, json, path};
use tokio::time::Instant;
use url::Url;

use super::finding::Findings;
use super::{expands, manifest, mend, places};
use crate::boot::{fetch, probe};
use crate::calls::Outcome;
use crate::egress::BuildError;
use crate::env::Env;
use crate::upstream::Upstream;

/// How long each answer may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How a PNG begins.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The site that the App is told of: none.
const SITE: &str = "http://localhost:8065";

/// An App as far as it could be read.
pub(super) struct Asked {
    pub(super) manifest: Manifest,
    /// Its bindings, unless they could not be asked for.
    pub(super) outcome: Option<Outcome>,
}

/// Asks for the manifest, and where there is one for all else.
pub(super) async fn all(
    url: &Url,
    secret: Option<JwtSecret>,
) -> Result<(Option<Asked>, Findings), BuildError> {
    let egress = Arc::new(fetch::egress_for(url)?);
    let mut findings = Findings::default();
    let bytes = match fetch::manifest(&egress, url).await {
        Ok(bytes) => bytes,
        Err(unread) => {
            let mend = "start the App, and name its root or its manifest: http://localhost:4000";
            findings.error(url.as_str(), unread.to_string(), mend);
            return Ok((None, findings));
        }
    };
    let manifest: Manifest = match json::from_slice_strict(&bytes) {
        Ok(manifest) => manifest,
        Err(error) => {
            findings.error(url.as_str(), format!("not a manifest: {error}"), "answer one JSON object");
            return Ok((None, findings));
        }
    };
    manifest::judge(&manifest, &bytes, url, &mut findings);
    let Some(http) = &manifest.http else { return Ok((Some(Asked { manifest, outcome: None }), findings)) };
    let signs = http.use_jwt && secret.is_none();
    let app = App {
        deploy_type: Some(DeployType::Http),
        granted_permissions: manifest.requested_permissions.clone(),
        granted_locations: manifest.requested_locations.clone(),
        secret: secret.unwrap_or_default(),
        manifest,
        ..App::default()
    };
    let upstream = Upstream::new(egress, Env::system());
    icon(&upstream, &app, &mut findings).await;
    let outcome = match signs {
        true => {
            let what = "the App wants signed calls, so /ping and its bindings were not asked for";
            findings.note("http.use_jwt", what, "name a file with its secret: --jwt-secret-file FILE");
            None
        }
        false => answers(&upstream, &app, &mut findings).await,
    };
    let App { manifest, .. } = app;
    expands::judge(&manifest, outcome.as_ref(), &mut findings);
    Ok((Some(Asked { manifest, outcome }), findings))
}

async fn answers(upstream: &Upstream, app: &App, findings: &mut Findings) -> Option<Outcome> {
    if let Err(error) = upstream.ping(&probe::target(app), Instant::now() + PATIENCE).await {
        let mend = "answer POST /ping with status 200 and {}, or with 404: without it no App is installed";
        findings.error("/ping", error.to_string(), mend);
        return None;
    }
    let call = app.manifest.bindings_call();
    if app.granted_locations.is_empty() {
        let what = "the App asks for no location, so it is never asked for bindings";
        findings.note("requested_locations", what, "ask for one: /command, /channel_header or /post_menu");
        return None;
    }
    match probe::bindings(upstream, app, SITE, Instant::now() + PATIENCE).await {
        Ok(outcome) => {
            for problem in &outcome.problems {
                let (text, mend) = (problem.text.clone(), mend::binding(problem.about));
                match mend::hides(problem.about) {
                    true => findings.error(call.path.as_str(), text, mend),
                    false => findings.warning(call.path.as_str(), text, mend),
                }
            }
            places::judge(&app.manifest, &outcome, &call.path, findings);
            Some(outcome)
        }
        Err(error) => {
            let mend = "answer its bindings with status 200 and {\"type\": \"ok\", \"data\": […]}, also to a call \
                        without a token or a person";
            findings.error(call.path.as_str(), error.to_string(), mend);
            None
        }
    }
}

async fn icon(upstream: &Upstream, app: &App, findings: &mut Findings) {
    let Ok(name) = path::clean_static(&app.manifest.icon) else { return };
    let asset = upstream.static_asset(&probe::target(app), &name, Instant::now() + PATIENCE).await;
    let at = format!("/static/{name}");
    let serve = "serve it with status 200, or leave \"icon\" out: without it the App is not installed";
    match asset {
        Err(error) => findings.error(at, error.to_string(), serve),
        Ok(asset) if asset.status != 200 => {
            findings.error(at, format!("received status {}", asset.status), serve);
        }
        Ok(asset) if !asset.body.starts_with(PNG) => {
            findings.warning(at, "the icon is not a PNG", "make it one: it becomes the bot's picture");
        }
        Ok(_) => {}
    }
}
