//! Manifests: how an App describes itself (apps-framework.md section 8).

use serde::{Deserialize, Serialize};

use crate::path::call_target;
use crate::{AwsLambda, Call, DeployType, Expand, Http, OpenFaas, Plugin};

/// How an App describes itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Manifest {
    /// The framework's version; the server's own in what it stores.
    #[serde(rename = "SchemaVersion", skip_serializing_if = "String::is_empty")]
    pub schema_version: String,
    /// Required.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_id: String,
    /// Optional, at most 10 bytes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Required: an absolute http or https URL.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub homepage_url: String,
    /// Required.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// What it does.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// A PNG below the App's static folder.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// Default path `/bindings`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bindings: Option<Call>,
    /// Called once after install, if there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_install: Option<Call>,
    /// Called after a new version, if there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_version_changed: Option<Call>,
    /// Called before uninstall, if there; an error cancels it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_uninstall: Option<Call>,
    /// Called after enable, if there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_enable: Option<Call>,
    /// Called before disable, if there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_disable: Option<Call>,
    /// Default path `/oauth2/connect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get_oauth2_connect_url: Option<Call>,
    /// Default path `/oauth2/complete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_oauth2_complete: Option<Call>,
    /// Default path `/webhook`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_remote_webhook: Option<Call>,
    /// What it wants to do (section 8.3).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requested_permissions: Vec<String>,
    /// `""`, `secret` or `none`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub remote_webhook_auth_type: String,
    /// Where it wants to be (section 8.4).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requested_locations: Vec<String>,
    /// How it runs at AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_lambda: Option<AwsLambda>,
    /// How it runs as a web server of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// How it runs with OpenFaaS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_faas: Option<OpenFaas>,
    /// How it runs as a plugin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<Plugin>,
}

impl Manifest {
    /// Whether it says how to run so.
    pub fn deploys_as(&self, deploy: &DeployType) -> bool {
        match deploy {
            DeployType::Http => self.http.is_some(),
            DeployType::AwsLambda => self.aws_lambda.is_some(),
            DeployType::OpenFaas => self.open_faas.is_some(),
            DeployType::Plugin => self.plugin.is_some(),
            DeployType::Builtin | DeployType::Other(_) => false,
        }
    }

    /// The call for its bindings.
    pub fn bindings_call(&self) -> Call {
        self.bindings.clone().unwrap_or_default().or_default(Call::new("/bindings"))
    }

    /// The call that begins to connect an account (section 3.4).
    pub fn connect_call(&self) -> Call {
        let expand = Expand {
            acting_user: "summary".into(),
            acting_user_access_token: "all".into(),
            oauth2_app: "all".into(),
            ..Expand::default()
        };
        let default = Call::new("/oauth2/connect").with_expand(expand);
        self.get_oauth2_connect_url.clone().unwrap_or_default().or_default(default)
    }

    /// The call that ends connecting an account (section 3.5).
    pub fn complete_call(&self) -> Call {
        let expand = Expand {
            acting_user: "summary".into(),
            acting_user_access_token: "all".into(),
            oauth2_app: "all".into(),
            oauth2_user: "all".into(),
            ..Expand::default()
        };
        let default = Call::new("/oauth2/complete").with_expand(expand);
        self.on_oauth2_complete.clone().unwrap_or_default().or_default(default)
    }

    /// The call for a webhook.
    pub fn webhook_call(&self) -> Call {
        self.on_remote_webhook.clone().unwrap_or_default().or_default(Call::new("/webhook"))
    }

    /// What a user's call may not reach, and why: the paths that only the server calls (section 5.6; B-59: the
    /// path that is in effect is reserved, also where a call object names none).
    ///
    /// Compared is where the calls end up (section 7.1): `/oauth2%2Fconnect?x` is `/oauth2/connect` to the App.
    pub fn reserved_path(&self, path: &str) -> Option<&'static str> {
        let of = |call: &Option<Call>| call.as_ref().map(|call| call.path.clone()).unwrap_or_default();
        let reserved = [
            ("/ping".to_owned(), "/ping"),
            (of(&self.on_install), "on_install.path"),
            (of(&self.on_uninstall), "on_uninstall.path"),
            (of(&self.on_version_changed), "on_version_changed.path"),
            (of(&self.on_enable), "on_enable.path"),
            (of(&self.on_disable), "on_disable.path"),
            (self.connect_call().path, "get_oauth2_connect_url.path"),
            (self.complete_call().path, "on_oauth2_complete.path"),
            (self.webhook_call().path, "on_remote_webhook.path"),
        ];
        let root = self.http.as_ref().map_or("http://app", |http| &http.root_url);
        let target = call_target(root, path);
        let mut defined = reserved.into_iter().filter(|(reserved, _)| !reserved.is_empty());
        defined.find(|(reserved, _)| call_target(root, reserved) == target).map(|(_, label)| label)
    }
}
