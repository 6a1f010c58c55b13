//! Whom and what people name in commands, or choose in dialogs: as whoever named it may see them.

use tessera_types::{Channel, User};

use super::Mattermost;
use super::rest::{As, is_id};
use crate::platform::{By, Error, Eyes, Named};

/// The longest name of either, with room.
const LONGEST: usize = 64;

impl Mattermost {
    pub(super) async fn person_for(&self, reader: &str, by: By<'_>) -> Result<Option<Named>, Error> {
        let id = match by {
            By::Id(id) => id.to_owned(),
            By::Name(name) => {
                let name = name.to_lowercase();
                if !is_name(&name) {
                    return Ok(None);
                }
                let found: Option<User> =
                    self.rest.find(As::Service, &format!("/users/username/{name}")).await?;
                let Some(found) = found else { return Ok(None) };
                found.id
            }
        };
        let user = seen(self.read_user(Eyes::Of(reader), &id).await)?;
        let user = user.filter(|user| user.delete_at == 0);
        Ok(user.map(|user| Named { id: user.id, label: user.username }))
    }

    pub(super) async fn place_for(
        &self,
        reader: &str,
        team_id: &str,
        by: By<'_>,
    ) -> Result<Option<Named>, Error> {
        let id = match by {
            By::Id(id) => id.to_owned(),
            By::Name(name) => {
                let name = name.to_lowercase();
                if !is_name(&name) || !is_id(team_id) {
                    return Ok(None);
                }
                let path = format!("/teams/{team_id}/channels/name/{name}");
                let found: Option<Channel> = self.rest.find(As::Service, &path).await?;
                let Some(found) = found else { return Ok(None) };
                found.id
            }
        };
        let channel = seen(self.read_channel(Eyes::Of(reader), &id).await)?;
        let channel = channel.filter(|channel| channel.delete_at == 0);
        Ok(channel.map(|channel| Named {
            label: if channel.display_name.is_empty() { channel.name } else { channel.display_name },
            id: channel.id,
        }))
    }
}

/// None for what is not there for whoever looks.
fn seen<T>(read: Result<T, Error>) -> Result<Option<T>, Error> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(Error::Entity(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A name as Mattermost lets users and channels have it: nothing else goes into a path.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    let dots = matches!(text, "." | "..");
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(plain) && !dots
}
