//! What tests change and look at: teams, channels and posts.

use serde_json::{Value, json};

use super::FakeMattermost;
use super::asked::text;

impl FakeMattermost {
    /// Adds a team; gives its id.
    pub fn add_team(&self, name: &str) -> String {
        self.state().add_team(name)
    }

    /// Makes a team one that anybody may join.
    ///
    /// # Panics
    /// When there is no such team.
    pub fn open_team(&self, team: &str) {
        self.state().teams.get_mut(team).unwrap().allow_open_invite = true;
    }

    /// Adds a channel of a kind (`O`, `P`); gives its id.
    pub fn add_channel(&self, team: &str, name: &str, kind: &str) -> String {
        self.state().add_channel(team, name, kind)
    }

    /// The direct channel of two; gives its id.
    pub fn direct_channel(&self, one: &str, other: &str) -> String {
        self.state().direct_channel(one, other)
    }

    /// Makes somebody a member of a team or a channel.
    pub fn join(&self, place: &str, user: &str) {
        self.state().join(place, user);
    }

    /// Makes somebody an administrator of a team or a channel.
    pub fn join_as_admin(&self, place: &str, user: &str) {
        self.state().join(place, user).is_admin = true;
    }

    /// Takes somebody out of a team or a channel.
    pub fn leave(&self, place: &str, user: &str) {
        self.state().members.remove(&(place.to_owned(), user.to_owned()));
    }

    /// Whether somebody is a member of a team or a channel.
    pub fn is_member(&self, place: &str, user: &str) -> bool {
        self.state().is_member(place, user)
    }

    /// Posts in a channel as somebody, whatever they may; gives the post's id.
    pub fn post(&self, user: &str, channel: &str, message: &str) -> String {
        self.post_with(user, channel, message, json!({}))
    }

    /// The same with props.
    pub fn post_with(&self, user: &str, channel: &str, message: &str, props: Value) -> String {
        let mut state = self.state();
        let post = state.new_post(user, channel, "", message, props);
        let id = text(&post, "id");
        state.publish_post(post);
        id
    }

    /// What was posted, oldest first, with all that clients are not shown.
    pub fn posts(&self) -> Vec<Value> {
        self.state().posts.clone()
    }

    /// What was posted in a channel.
    pub fn posts_in(&self, channel: &str) -> Vec<Value> {
        self.posts().into_iter().filter(|post| post["channel_id"] == channel).collect()
    }

    /// What was shown to somebody alone: `user_id`, and the `post`.
    pub fn ephemeral_posts(&self) -> Vec<Value> {
        self.state().ephemeral.clone()
    }

    /// What this one was shown alone.
    pub fn whispers_to(&self, user: &str) -> Vec<String> {
        let all = self.ephemeral_posts();
        all.iter().filter(|one| one["user_id"] == user).map(|one| text(&one["post"], "message")).collect()
    }
}
