//! Whose account at the provider it is: told in the reply itself, or asked for with the token.

use serde_json::{Map, Value};
use tessera_types::AccessToken;

use super::{Claims, Descriptor, Provider};
use crate::egress::Egress;

/// An account at a provider. Both may be empty: not every provider tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// Its own id there: what does not change when somebody changes their name.
    pub id: String,
    /// What people know it by.
    pub name: String,
}

impl Account {
    /// What a reply or userinfo says, by the descriptor's places: parted by dots, the first that is there.
    pub fn told(descriptor: &Descriptor, members: &Map<String, Value>) -> Self {
        let at = |places: &[String]| places.iter().find_map(|place| find(members, place)).unwrap_or_default();
        Self { id: at(&descriptor.reply.account_id), name: at(&descriptor.reply.account_name) }
    }

    /// What an id_token says, once it is verified. An address that the provider does not vouch for is no name.
    pub fn of(claims: Claims) -> Self {
        let Claims { subject, email, email_verified, name, preferred_username, .. } = claims;
        let name = email.filter(|_| email_verified).or(preferred_username).or(name);
        Self { id: subject, name: name.unwrap_or_default() }
    }

    /// What one source lacks, from another.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let either = |one: String, other: String| if one.is_empty() { other } else { one };
        Self { id: either(self.id, other.id), name: either(self.name, other.name) }
    }
}

/// The longest id or name that is kept, in bytes.
const LONGEST: usize = 256;

fn find(members: &Map<String, Value>, place: &str) -> Option<String> {
    let mut parts = place.split('.');
    let first = members.get(parts.next()?)?;
    let found = parts.try_fold(first, |value, part| value.get(part))?;
    let text = match found {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let line: String = text.chars().filter(|character| !character.is_control()).collect();
    let end = line.floor_char_boundary(LONGEST);
    Some(line[..end].trim().to_owned()).filter(|line| !line.is_empty())
}

impl Provider {
    /// Asks whose account a token is of, where the provider tells. A question that fails costs nobody their grant, so
    /// there is no error but in the log.
    pub async fn account_of(&self, egress: &Egress, token: &AccessToken) -> Account {
        let Ok(Some(request)) = self.userinfo(token) else { return Account::default() };
        let reply = match request.send(egress).await {
            Ok(reply) if reply.status.is_success() => reply,
            Ok(reply) => {
                tracing::warn!(provider = %self.descriptor().name, status = reply.status.as_u16(), "userinfo refused");
                return Account::default();
            }
            Err(failure) => {
                tracing::warn!(provider = %self.descriptor().name, code = %failure.code, "userinfo could not be asked");
                return Account::default();
            }
        };
        match serde_json::from_slice::<Value>(&reply.body) {
            Ok(Value::Object(members)) => Account::told(self.descriptor(), &members),
            _ => Account::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_parted_by_dots_and_numbers_are_ids_too() {
        let Value::Object(members) =
            json!({"owner": {"user": {"id": 7, "name": "Ann\n\u{1b}[2J"}}, "id": ""})
        else {
            unreachable!()
        };
        assert_eq!(find(&members, "owner.user.id").as_deref(), Some("7"));
        assert_eq!(find(&members, "owner.user.name").as_deref(), Some("Ann[2J"));
        assert_eq!(find(&members, "id"), None);
        assert_eq!(find(&members, "owner.nobody"), None);
    }
}
