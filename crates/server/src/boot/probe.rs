//! An App asked for its bindings by nobody in particular: without a token, without a person.

use tessera_types::{App, AppId, Binding, CallRequest, Context, location, routes};
use tokio::time::Instant;

use crate::calls::Outcome;
use crate::upstream::{Error, Target, Upstream};

/// What the App answers, cleaned as for the web application. Its manifest must say how to reach it over HTTP.
pub(super) async fn bindings(
    upstream: &Upstream,
    app: &App,
    site_url: &str,
    deadline: Instant,
) -> Result<Outcome, Error> {
    let target = target(app);
    let call = app.manifest.bindings_call();
    let context = Context {
        mattermost_site_url: site_url.to_owned(),
        app_path: routes::app_path(&AppId::unchecked(app.manifest.app_id.as_str())),
        bot_user_id: app.bot_user_id.clone(),
        user_agent: "webapp".to_owned(),
        developer_mode: true,
        ..Context::default()
    };
    let request = CallRequest {
        path: call.path,
        expand: call.expand,
        state: call.state,
        context,
        ..CallRequest::default()
    };
    let answer = upstream.post(&target, "bindings", request, None, deadline).await?;
    Ok(Outcome::of(app, site_url, "webapp", answer))
}

/// Where the App is, or nowhere.
pub(super) fn target(app: &App) -> Target {
    Target::new(&app.manifest.http.clone().unwrap_or_default(), &app.secret)
}

/// A command that can be typed, and what it is for.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct Typed {
    pub(super) command: String,
    pub(super) description: String,
}

/// Every command in these bindings.
pub(super) fn commands(bindings: &[Binding]) -> Vec<Typed> {
    let mut found = Vec::new();
    for top in bindings.iter().filter(|top| top.location == location::COMMAND) {
        for child in &top.bindings {
            gather(&format!("/{}", child.label), child, &mut found);
        }
    }
    found
}

fn gather(typed: &str, binding: &Binding, found: &mut Vec<Typed>) {
    if binding.bindings.is_empty() {
        found.push(Typed { command: typed.to_owned(), description: binding.description.clone() });
    }
    for child in &binding.bindings {
        gather(&format!("{typed} {}", child.label), child, found);
    }
}
