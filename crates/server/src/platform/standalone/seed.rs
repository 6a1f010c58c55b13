//! What the first start makes: three people, a team, two channels.

use serde::{Deserialize, Serialize};
use tessera_types::{Channel, Team, User};

use super::Standalone;
use super::bots::automatic_timezone;
use super::people::{decode, encode, row_of};
use super::rooms::{channel_member, row_of_channel, team_member};
use crate::platform::Error;
use crate::store::Meta;
use crate::store::site::NewPerson;

/// User names and roles.
const PEOPLE: [(&str, &str); 3] =
    [("sysadmin", "system_user system_admin"), ("user-1", "system_user"), ("user-2", "system_user")];
/// The team's name and display name.
const TEAM: (&str, &str) = ("tessera", "Tessera");
/// The channels' names and display names.
const CHANNELS: [(&str, &str); 2] = [("town-square", "Town Square"), ("off-topic", "Off-Topic")];

/// The ids, chosen once: a start that was cut off, or another node's at the same moment, goes by the same plan.
#[derive(Serialize, Deserialize)]
struct Plan {
    at: i64,
    people: Vec<String>,
    team: String,
    channels: Vec<String>,
}

/// Makes what is not there yet, once.
pub(super) async fn seed(site: &Standalone, meta: &Meta) -> Result<(), Error> {
    if meta.get("site_seeded").await?.is_some() {
        return Ok(());
    }
    let ids = |count: usize| (0..count).map(|_| site.env.id()).collect::<Result<Vec<_>, _>>();
    let plan = Plan {
        at: site.env.now_ms(),
        people: ids(PEOPLE.len())?,
        team: site.env.id()?,
        channels: ids(CHANNELS.len())?,
    };
    let plan = meta.put_if_absent("site_plan", encode("plan", &plan)?.as_bytes()).await?;
    let plan: Plan = decode("plan", &String::from_utf8_lossy(&plan))?;

    let rooms = &site.site.rooms;
    let team = team(&plan);
    rooms.add_team(&team.id, &team.name, &encode("team", &team)?).await?;
    for (id, (name, roles)) in plan.people.iter().zip(PEOPLE) {
        let user = person(id, name, roles, &plan, &site.settings.locale);
        let password = Some(site.passwords.hash(&site.settings.password).await?);
        site.site.people.add(NewPerson { row: row_of(&user, 1)?, password }).await?;
        rooms.join_team(team_member(&plan.team, id)?).await?;
    }
    for (id, (name, display_name)) in plan.channels.iter().zip(CHANNELS) {
        let row = row_of_channel(&channel(id, name, display_name, &plan))?;
        let members = plan.people.iter().map(|user| channel_member(id, user, plan.at));
        rooms.add_channel(row, members.collect::<Result<_, _>>()?).await?;
    }
    Ok(meta.put("site_seeded", b"1").await?)
}

fn person(id: &str, name: &str, roles: &str, plan: &Plan, locale: &str) -> User {
    User {
        id: id.to_owned(),
        create_at: plan.at,
        update_at: plan.at,
        username: name.to_owned(),
        email: format!("{name}@example.com"),
        email_verified: true,
        roles: roles.to_owned(),
        locale: locale.to_owned(),
        timezone: Some(automatic_timezone()),
        ..User::default()
    }
}

fn team(plan: &Plan) -> Team {
    Team {
        id: plan.team.clone(),
        create_at: plan.at,
        update_at: plan.at,
        display_name: TEAM.1.to_owned(),
        name: TEAM.0.to_owned(),
        email: "sysadmin@example.com".to_owned(),
        kind: "O".to_owned(),
        allow_open_invite: true,
        ..Team::default()
    }
}

fn channel(id: &str, name: &str, display_name: &str, plan: &Plan) -> Channel {
    Channel {
        id: id.to_owned(),
        create_at: plan.at,
        update_at: plan.at,
        team_id: plan.team.clone(),
        kind: "O".to_owned(),
        display_name: display_name.to_owned(),
        name: name.to_owned(),
        ..Channel::default()
    }
}
