//! What somebody may do: roles to permissions. A role's name alone says nothing, as a site may have roles of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use serde::Deserialize;
use tessera_types::User;

use super::Mattermost;
use super::identity::FRESH_MS;
use super::rest::{As, Rest, is_id};
use crate::platform::{Error, Freshness, Right};

#[derive(Deserialize)]
struct Role {
    name: String,
    #[serde(default)]
    permissions: Vec<String>,
}

/// Permissions by role, each with when it was asked for.
#[derive(Default)]
pub(super) struct Roles(Mutex<HashMap<String, Known>>);

/// When it was asked for (Unix ms), and what it allows.
type Known = (i64, Arc<[String]>);

/// All that these roles allow, names with blanks between, as it is now.
pub(super) async fn permissions_of(rest: &Rest, roles: &str) -> Result<Vec<String>, Error> {
    let names: Vec<&str> = roles.split_whitespace().collect();
    let found: Vec<Role> = rest.send(Method::POST, As::Service, "/roles/names", &names).await?;
    Ok(found.into_iter().flat_map(|role| role.permissions).collect())
}

impl Mattermost {
    pub(super) async fn has_right(
        &self,
        user_id: &str,
        right: Right,
        freshness: Freshness,
    ) -> Result<bool, Error> {
        if !is_id(user_id) {
            return Ok(false);
        }
        let user: Option<User> = self.rest.find(As::Service, &format!("/users/{user_id}")).await?;
        let Some(user) = user.filter(|user| user.delete_at == 0) else { return Ok(false) };
        match right {
            Right::ManageSystem => self.allow(&user.roles, "manage_system", freshness).await,
        }
    }

    /// Whether one of these roles, names with blanks between, has the permission.
    pub(super) async fn allow(
        &self,
        roles: &str,
        permission: &str,
        freshness: Freshness,
    ) -> Result<bool, Error> {
        let names: Vec<&str> = roles.split_whitespace().collect();
        let now = self.env.now_ms();
        let known = |name: &str| {
            let roles = self.roles.0.lock().unwrap_or_else(PoisonError::into_inner);
            let (at, permissions) = roles.get(name)?;
            (freshness == Freshness::Cached && now - at < FRESH_MS).then(|| Arc::clone(permissions))
        };
        let allows = |permissions: &[String]| permissions.iter().any(|one| one == permission);
        let mut unknown = Vec::new();
        for name in names {
            match known(name) {
                Some(permissions) if allows(&permissions) => return Ok(true),
                Some(_) => {}
                None => unknown.push(name),
            }
        }
        if unknown.is_empty() {
            return Ok(false);
        }
        let found: Vec<Role> = self.rest.send(Method::POST, As::Service, "/roles/names", &unknown).await?;
        let allowed = found.iter().any(|role| allows(&role.permissions));
        let mut roles = self.roles.0.lock().unwrap_or_else(PoisonError::into_inner);
        for role in found {
            roles.insert(role.name, (now, role.permissions.into()));
        }
        Ok(allowed)
    }
}
