//! What a call request holds, read as the types one wants.

use serde::de::DeserializeOwned;
use tessera_types::{CallRequest, RawJson, json};

/// What a call request holds, beyond what [`CallRequest`] itself reads
/// ([`value_str`](CallRequest::value_str), [`value_or`](CallRequest::value_or),
/// [`bool_value`](CallRequest::bool_value)).
pub trait CallRequestExt {
    /// All values as one struct. A select field (`{"label":…,"value":…}`) may be read as its value or as
    /// the whole object. Absent values are serde's business: `Option`, or `#[serde(default)]`.
    ///
    /// # Errors
    ///
    /// Names the value that is missing or of another type, for an error response.
    fn values<T: DeserializeOwned>(&self) -> Result<T, json::Error>;

    /// The acting user's record with this App, as it came with the call (`oauth2_user` expanded): `None`
    /// where there is none. What was stored as an object is read as one.
    ///
    /// # Errors
    ///
    /// When a record came that is no `T`.
    fn oauth2_user<T: DeserializeOwned>(&self) -> Result<Option<T>, json::Error>;

    /// Whether the acting user has a record with this App (`oauth2_user` expanded).
    fn is_connected_user(&self) -> bool;

    /// The acting user's id (`acting_user` expanded).
    fn acting_user_id(&self) -> Option<&str>;

    /// Whether the acting user is a system administrator (`acting_user` expanded). For what to show only:
    /// the server checks on its own.
    fn is_system_admin(&self) -> bool;
}

impl CallRequestExt for CallRequest {
    fn values<T: DeserializeOwned>(&self) -> Result<T, json::Error> {
        let whole = RawJson::from_value(&self.values)?;
        whole.to().or_else(|error| {
            let plain: std::collections::BTreeMap<_, _> =
                self.values.iter().map(|(name, value)| (name, selected(value))).collect();
            // The first error speaks of what was sent, so it is the one to tell.
            RawJson::from_value(&plain)?.to().map_err(|_| error)
        })
    }

    fn oauth2_user<T: DeserializeOwned>(&self) -> Result<Option<T>, json::Error> {
        match &self.context.oauth2.user {
            Some(record) if !record.is_null() => record.to().map(Some),
            _ => Ok(None),
        }
    }

    fn is_connected_user(&self) -> bool {
        self.context.oauth2.user.as_ref().is_some_and(|record| !record.is_null())
    }

    fn acting_user_id(&self) -> Option<&str> {
        self.context.acting_user.as_ref().map(|user| user.id.as_str()).filter(|id| !id.is_empty())
    }

    fn is_system_admin(&self) -> bool {
        let roles = self.context.acting_user.as_ref().map(|user| user.roles.as_str());
        roles.is_some_and(|roles| roles.split_whitespace().any(|role| role == "system_admin"))
    }
}

/// The `value` of a select field, else the value itself.
fn selected(raw: &RawJson) -> RawJson {
    #[derive(serde::Deserialize)]
    struct Select {
        value: RawJson,
    }
    raw.to::<Select>().map_or_else(|_| raw.clone(), |select| select.value)
}
