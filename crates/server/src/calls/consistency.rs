//! Whether what was expanded fits what was given (apps-framework.md section 6.6): a person must not learn about
//! one channel by naming another.

use tessera_types::Context;

use super::ExpandError;

/// Compares entities with the ids that the user agent gave. A lower level hides members: those are not compared.
pub(super) fn check(seen: &Context, given: &Context, acting: Option<&str>) -> Result<(), ExpandError> {
    let inconsistent = |text: String| Err(ExpandError::Inconsistent(text));
    if let Some(post) = &seen.post
        && differ(&post.channel_id, &given.channel_id)
    {
        return inconsistent(different("post's channel", &post.channel_id, &given.channel_id));
    }
    if let Some(channel) = &seen.channel
        && !matches!(channel.kind.as_str(), "D" | "G")
        && differ(&channel.team_id, &given.team_id)
    {
        return inconsistent(different("channel's team", &channel.team_id, &given.team_id));
    }
    if let Some(member) = &seen.channel_member {
        if differ(&member.channel_id, &given.channel_id) {
            return inconsistent(different(
                "channel member's channel",
                &member.channel_id,
                &given.channel_id,
            ));
        }
        if stranger(&member.user_id, &given.user_id, acting) {
            return inconsistent(strange("channel", &member.user_id));
        }
    }
    if let Some(member) = &seen.team_member {
        if differ(&member.team_id, &given.team_id) {
            return inconsistent(different("team member's team", &member.team_id, &given.team_id));
        }
        if stranger(&member.user_id, &given.user_id, acting) {
            return inconsistent(strange("team", &member.user_id));
        }
    }
    Ok(())
}

fn differ(seen: &str, given: &str) -> bool {
    !seen.is_empty() && !given.is_empty() && seen != given
}

fn stranger(seen: &str, given: &str, acting: Option<&str>) -> bool {
    differ(seen, given) && acting != Some(seen)
}

fn different(what: &str, seen: &str, given: &str) -> String {
    format!("expanded {what} ID {seen} is different from user agent context {given}")
}

fn strange(what: &str, seen: &str) -> String {
    format!("expanded {what} member's user ID {seen} is different from user agent context")
}
