//! How an App runs, and how listings of different ways are merged (apps-framework.md sections 8.1 and 9.2).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Manifest, RawJson, is_default};

/// How an App runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DeployType {
    /// A web server of its own.
    Http,
    /// Functions at AWS.
    AwsLambda,
    /// Functions of OpenFaaS.
    OpenFaas,
    /// A plugin of a Mattermost server.
    Plugin,
    /// Inside the server.
    Builtin,
    /// A way that the wire does not know.
    Other(String),
}

impl DeployType {
    /// Its name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Http => "http",
            Self::AwsLambda => "aws_lambda",
            Self::OpenFaas => "open_faas",
            Self::Plugin => "plugin",
            Self::Builtin => "builtin",
            Self::Other(name) => name,
        }
    }

    /// Its name in error texts (section 12.2).
    pub fn prose(&self) -> &str {
        match self {
            Self::Http => "HTTP",
            Self::AwsLambda => "AWS Lambda",
            Self::OpenFaas => "OpenFaaS",
            Self::Plugin => "Mattermost Plugin",
            Self::Builtin => "Built-in",
            Self::Other(name) => name,
        }
    }
}

impl From<&str> for DeployType {
    fn from(name: &str) -> Self {
        [Self::Http, Self::AwsLambda, Self::OpenFaas, Self::Plugin, Self::Builtin]
            .into_iter()
            .find(|known| known.as_str() == name)
            .unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}

impl Serialize for DeployType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for DeployType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|name| Self::from(name.as_str()))
    }
}

/// An App that is a web server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Http {
    /// Call paths are below it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub root_url: String,
    /// Whether calls carry a JWT.
    #[serde(skip_serializing_if = "is_default")]
    pub use_jwt: bool,
}

/// An App at AWS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AwsLambda {
    /// At least one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<AwsFunction>,
}

/// One function at AWS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "AWS's own words")]
pub struct AwsFunction {
    pub path: String,
    pub name: String,
    pub handler: String,
    pub runtime: String,
}

/// An App of OpenFaaS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenFaas {
    /// At least one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<OpenFaasFunction>,
}

/// One function of OpenFaaS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "OpenFaaS's own words")]
pub struct OpenFaasFunction {
    pub path: String,
    pub name: String,
}

/// An App that is a plugin.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plugin {
    /// Which plugin.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub plugin_id: String,
}

/// The body of a request to list a manifest (section 2.12).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UpdateAppListing {
    /// All its members stand at top level.
    pub manifest: Manifest,
    /// Whether to forget an earlier listing.
    pub replace: bool,
    /// Ways to run that the earlier listing did not have.
    pub add_deploys: Vec<DeployType>,
    /// Ways to run to be dropped.
    pub remove_deploys: Vec<DeployType>,
}

impl<'de> Deserialize<'de> for UpdateAppListing {
    /// Reads the body twice: once for the manifest's members, once for its own.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Default, Deserialize)]
        #[serde(default, rename = "UpdateAppListingRequest")]
        struct Own {
            #[serde(rename = "Replace")]
            replace: bool,
            add_deploys: Vec<DeployType>,
            remove_deploys: Vec<DeployType>,
        }
        let raw = RawJson::deserialize(deserializer)?;
        let manifest = raw.to().map_err(serde::de::Error::custom)?;
        let Own { replace, add_deploys, remove_deploys } = raw.to().map_err(serde::de::Error::custom)?;
        Ok(Self { manifest, replace, add_deploys, remove_deploys })
    }
}

impl Serialize for UpdateAppListing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(flatten)]
            manifest: &'a Manifest,
            #[serde(rename = "Replace")]
            replace: bool,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            add_deploys: &'a [DeployType],
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            remove_deploys: &'a [DeployType],
        }
        let Self { manifest, replace, add_deploys, remove_deploys } = self;
        Wire { manifest, replace: *replace, add_deploys, remove_deploys }.serialize(serializer)
    }
}

impl Manifest {
    /// This manifest with the ways to run merged as section 9.2 has it.
    pub fn merge_deploys(mut self, before: Option<&Self>, add: &[DeployType], remove: &[DeployType]) -> Self {
        fn merged<T: Clone>(
            deploy: &DeployType,
            new: Option<T>,
            old: Option<&T>,
            add: &[DeployType],
            remove: &[DeployType],
        ) -> Option<T> {
            if remove.contains(deploy) {
                return None;
            }
            match new {
                Some(new) if old.is_some() || add.contains(deploy) => Some(new),
                _ => old.cloned(),
            }
        }
        let none = Self::default();
        let old = before.unwrap_or(&none);
        let (lambda, faas) = (&DeployType::AwsLambda, &DeployType::OpenFaas);
        self.aws_lambda = merged(lambda, self.aws_lambda, old.aws_lambda.as_ref(), add, remove);
        self.http = merged(&DeployType::Http, self.http, old.http.as_ref(), add, remove);
        self.open_faas = merged(faas, self.open_faas, old.open_faas.as_ref(), add, remove);
        self.plugin = merged(&DeployType::Plugin, self.plugin, old.plugin.as_ref(), add, remove);
        self
    }
}
