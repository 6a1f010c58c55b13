//! Following one App: what it is now, against what was told of it last.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tessera_types::{AppId, DeployType, Manifest, Permission, UpdateAppListing, json};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};
use url::Url;

use super::changes::changes;
use super::provider::Provider;
use super::report::{Arrival, Report};
use crate::boot::check::mend;
use crate::boot::fetch::{self, Unread};
use crate::boot::probe;
use crate::egress::Egress;
use crate::lifecycle::{By, FRAMEWORK_VERSION, Lifecycle};
use crate::platform::{Audience, Event, REFRESH_BINDINGS};

/// How often the App is looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How long listing, installing or asking for bindings may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks at an App again and again.
pub(super) struct Follower {
    place: Url,
    egress: Egress,
    lifecycle: Arc<Lifecycle>,
    provider: Option<Provider>,
    report: Report,
    /// What was told last.
    seen: Seen,
    /// What is listed and installed.
    listed: Option<Manifest>,
    /// Which App was offered the provider.
    offered: Option<String>,
    /// The connection that the App answered over last, if it keeps them: one that is started again between two looks is
    /// never seen away, but answers over another.
    over: Option<SocketAddr>,
}

/// The state of the App, as far as it is told.
#[derive(PartialEq)]
enum Seen {
    /// Nothing was told yet.
    Nothing,
    /// Nobody answers.
    Away,
    /// Its manifest, or installing it, fails for these reasons.
    Broken(Vec<String>),
    /// All is well.
    Here,
}

impl Follower {
    pub(super) fn new(
        place: Url,
        egress: Egress,
        lifecycle: Arc<Lifecycle>,
        provider: Option<Provider>,
        report: Report,
    ) -> Self {
        Self {
            place,
            egress,
            lifecycle,
            provider,
            report,
            seen: Seen::Nothing,
            listed: None,
            offered: None,
            over: None,
        }
    }

    /// Looks once a second, until it is asked to stop. What was begun by then ends.
    pub(super) async fn follow(&mut self, stop: &mut watch::Receiver<bool>) {
        let mut every = tokio::time::interval(EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let read = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                read = async {
                    every.tick().await;
                    fetch::reply(&self.egress, &self.place).await
                } => read,
            };
            match read {
                Err(Unread::NoAnswer(error)) => self.away(&error.to_string()),
                Err(Unread::NoManifest(why)) => self.broken(vec![why]),
                Ok(reply) => match read_manifest(&reply.body) {
                    Ok(manifest) => {
                        let last = std::mem::replace(&mut self.over, reply.over);
                        let anew = last.is_some() && reply.over.is_some() && last != reply.over;
                        Box::pin(self.here(manifest, anew)).await;
                    }
                    Err(problems) => self.broken(problems),
                },
            }
        }
    }

    pub(super) async fn stop(self) {
        self.report.stopped();
        if let Some(provider) = self.provider {
            provider.stop().await;
        }
    }

    fn away(&mut self, why: &str) {
        if self.seen != Seen::Away {
            self.report.waiting(&self.place, why, self.listed.as_ref());
            self.seen = Seen::Away;
        }
    }

    fn broken(&mut self, problems: Vec<String>) {
        let broken = Seen::Broken(problems);
        if self.seen != broken {
            if let Seen::Broken(problems) = &broken {
                self.report.broken(&self.place, problems, self.listed.as_ref());
            }
            self.seen = broken;
        }
    }

    async fn here(&mut self, manifest: Manifest, anew: bool) {
        let before = std::mem::replace(&mut self.seen, Seen::Here);
        if self.listed.as_ref() == Some(&manifest) {
            // What the App was before is not what it is now: a new process may have other commands.
            if before != Seen::Here || anew {
                self.refresh();
                self.report.back(&manifest);
                self.tell_bindings(&manifest, false).await;
            }
            return;
        }
        self.seen = before;
        match Box::pin(self.arrive(&manifest)).await {
            Ok(arrival) => {
                self.report.arrived(&manifest, &arrival);
                self.refresh();
                self.seen = Seen::Here;
                self.listed = Some(manifest.clone());
                self.offer(&manifest).await;
                self.tell_bindings(&manifest, true).await;
            }
            Err(problem) => self.broken(vec![problem]),
        }
    }

    /// Lists and installs the App, as far as that is not so already.
    async fn arrive(&self, manifest: &Manifest) -> Result<Arrival, String> {
        let id = AppId::unchecked(manifest.app_id.as_str());
        let apps = &self.lifecycle.apps;
        let (listed, installed) = (
            apps.manifest(&id).await.map_err(|error| error.to_string())?,
            apps.get(&id).await.map_err(|error| error.to_string())?,
        );
        let (listed, installed) = (listed.as_ref(), installed.as_deref());
        if listed != Some(manifest) {
            let update =
                UpdateAppListing { manifest: manifest.clone(), replace: true, ..UpdateAppListing::default() };
            self.lifecycle.list(update, &by()).await.map_err(|error| error.to_string())?;
        }
        let before = installed.filter(|app| !app.disabled).map(|app| &app.manifest);
        if before == Some(manifest) {
            return Ok(Arrival::AsBefore);
        }
        self.lifecycle.install(&id, &DeployType::Http, &by()).await.map_err(|error| {
            match manifest.http.as_ref().is_some_and(|http| http.use_jwt) {
                true => format!(
                    "{error}. Calls are signed with an empty key here, as this version cannot be given the App's \
                     secret: let the App take unsigned calls while you write it"
                ),
                false => error.to_string(),
            }
        })?;
        let renamed = self.listed.as_ref().filter(|before| before.app_id != manifest.app_id);
        Ok(match (before, renamed) {
            (_, Some(renamed)) => Arrival::Renamed { before: renamed.app_id.clone() },
            (Some(before), None) => Arrival::Changed(changes(before, manifest)),
            (None, None) => Arrival::New,
        })
    }

    /// Makes the App a client of the local provider, once.
    async fn offer(&mut self, manifest: &Manifest) {
        let Some(provider) = &self.provider else { return };
        if self.offered.as_deref() == Some(manifest.app_id.as_str()) {
            return;
        }
        if !manifest.requested_permissions.iter().any(|asked| asked == Permission::REMOTE_OAUTH2) {
            return self.report.asks_for_no_oauth2();
        }
        let id = AppId::unchecked(manifest.app_id.as_str());
        match provider.offer(&self.lifecycle, &id).await {
            Ok(offer) => {
                self.offered = Some(manifest.app_id.clone());
                self.report.offered(&offer, manifest);
            }
            Err(error) => self.report.not_offered(&error.to_string()),
        }
    }

    /// Says what is wrong with the App's bindings, and what can be typed.
    async fn tell_bindings(&mut self, manifest: &Manifest, guide: bool) {
        let id = AppId::unchecked(manifest.app_id.as_str());
        let Ok(app) = self.lifecycle.apps.installed(&id).await else { return };
        if app.granted_locations.is_empty() {
            return;
        }
        let site_url = self.lifecycle.site_url.as_str().trim_end_matches('/');
        let asked = probe::bindings(&self.lifecycle.upstream, &app, site_url, Instant::now() + PATIENCE);
        match asked.await {
            Ok(outcome) => {
                let wrong: Vec<String> = outcome
                    .problems
                    .iter()
                    .map(|problem| format!("{problem}: {}", mend::binding(problem.about)))
                    .collect();
                let commands = probe::commands(&outcome.bindings);
                self.report.bindings(site_url, &wrong, &commands, guide);
            }
            Err(error) => self.report.bindings(site_url, &[error.to_string()], &[], guide),
        }
    }

    fn refresh(&self) {
        let everyone = Event { name: REFRESH_BINDINGS, audience: Audience::Everyone };
        self.lifecycle.platform.publish(everyone);
    }
}

/// A manifest as it will be listed, or each rule that it breaks and what to do about it.
fn read_manifest(bytes: &[u8]) -> Result<Manifest, Vec<String>> {
    let manifest: Manifest =
        json::from_slice_strict(bytes).map_err(|error| vec![format!("not a manifest: {error}")])?;
    let faults = manifest.faults();
    match faults.is_empty() {
        true => Ok(Manifest { schema_version: FRAMEWORK_VERSION.into(), ..manifest }),
        false => Err(faults
            .iter()
            .map(|fault| format!("{}: {}", mend::plain(&fault.text), mend::manifest(fault.rule)))
            .collect()),
    }
}

/// Whoever started the server: no person of the site.
fn by() -> By<'static> {
    By { actor: "", request: "local", deadline: Instant::now() + PATIENCE }
}
