//! Where an App's bindings may be (apps-framework.md section 8.4).

/// The menu of a post.
pub const POST_MENU: &str = "/post_menu";
/// The bar on top of a channel.
pub const CHANNEL_HEADER: &str = "/channel_header";
/// Slash commands.
pub const COMMAND: &str = "/command";
/// Inside a post that an App wrote.
pub const IN_POST: &str = "/in_post";

/// Whether a location is in another: its text begins with the other's, so `/a-b` is in `/a`.
pub fn is_in(location: &str, other: &str) -> bool {
    location.starts_with(other)
}

/// Whether it is one of those that the bindings of all Apps hang from.
pub fn is_top(location: &str) -> bool {
    [POST_MENU, CHANNEL_HEADER, COMMAND].contains(&location)
}

/// What is said of a location to who is asked to consent.
pub fn prose(location: &str) -> String {
    match location {
        POST_MENU => "Post Menu items".to_owned(),
        CHANNEL_HEADER => "Channel Header buttons".to_owned(),
        COMMAND => "Slash commands".to_owned(),
        other => match other.strip_prefix("/command/") {
            Some(words) => format!("`/{}` command", words.replace('/', " ")),
            None => other.to_owned(),
        },
    }
}
