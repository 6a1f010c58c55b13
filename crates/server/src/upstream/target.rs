//! Where an App is.

use tessera_types::{App, DeployType, Http, JwtSecret};

/// Where an App is called, and whether with proof.
#[derive(Debug, Clone)]
pub struct Target {
    app: String,
    root_url: String,
    jwt: Option<JwtSecret>,
}

/// The App runs in a way in which this server calls none (section 2.7, step 6).
#[derive(Debug, thiserror::Error)]
#[error(
    "no available upstream for {app}: deployment type \"{deploy}\" is not configured on this Mattermost server"
)]
pub struct NoUpstream {
    app: String,
    deploy: String,
}

impl Target {
    /// An App of this manifest section, called with this secret if it wants proof. The secret may be empty: the
    /// calls are then signed with an empty key (B-35).
    pub fn new(http: &Http, secret: &JwtSecret) -> Self {
        let jwt = http.use_jwt.then(|| secret.clone());
        Self { app: String::new(), root_url: http.root_url.clone(), jwt }
    }

    /// Where an installed App is.
    ///
    /// # Errors
    /// When it does not run as a web server.
    pub fn of(app: &App) -> Result<Self, NoUpstream> {
        let deploy = app.deploy_type.as_ref().unwrap_or(&DeployType::Http);
        match (deploy, &app.manifest.http) {
            (DeployType::Http, Some(http)) => {
                Ok(Self { app: app.manifest.app_id.clone(), ..Self::new(http, &app.secret) })
            }
            _ => Err(NoUpstream { app: app.manifest.app_id.clone(), deploy: deploy.prose().to_owned() }),
        }
    }

    /// The App's id.
    pub(super) fn app(&self) -> &str {
        &self.app
    }

    pub(super) fn root_url(&self) -> &str {
        &self.root_url
    }

    pub(super) fn jwt_secret(&self) -> Option<&JwtSecret> {
        self.jwt.as_ref()
    }
}
