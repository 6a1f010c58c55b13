//! What to do about each rule that a manifest or a binding breaks.

use tessera_types::Rule;

use crate::calls::About;

/// For a rule for manifests (apps-framework.md section 8.2).
pub(in crate::boot) fn manifest(rule: Rule) -> &'static str {
    match rule {
        Rule::DisplayName => "add \"display_name\", the name that people read",
        Rule::HomepageUrl => {
            "write an absolute address such as https://example.com, where people read about the App"
        }
        Rule::Icon => "name a PNG below the App's static folder, such as icon.png",
        Rule::AppId => "write 3 to 32 bytes of letters, digits, \"-\", \"_\" and \".\"",
        Rule::Version => "write at most 10 bytes of letters, digits, \"-\", \"_\" and \".\", such as v1.0.0",
        Rule::RequestedPermissions => {
            "ask for both: remote_oauth2 needs act_as_user; remote_webhooks and user_joined_channel_notification need \
             act_as_bot"
        }
        Rule::NoDeployment => "say where the App runs: \"http\": {\"root_url\": \"https://app.example.com\"}",
        Rule::AwsLambda => "give each function its path, name, handler and runtime",
        Rule::Http => "write the App's own address, absolute, with http or https and a host",
        Rule::OpenFaas => "give each function its path and name",
        Rule::Plugin => "write the plugin's id into \"plugin_id\"",
    }
}

/// For a rule for bindings and forms (apps-framework.md sections 10.3 and 10.4).
pub(in crate::boot) fn binding(about: About) -> &'static str {
    match about {
        About::Answer => "answer {\"type\": \"ok\", \"data\": [a list of bindings]}",
        About::Nameless => "give it a \"location\"",
        About::Blanks => "leave the blanks out",
        About::Location => "ask for the location in \"requested_locations\", or move the binding",
        About::Label => "write one word: it is typed",
        About::Icon => "name a file below the App's static folder, or an absolute address",
        About::NoIcon => "give it an \"icon\": the web application shows no button without one",
        About::Contents => {
            "keep one of the three: children in \"bindings\", a \"form\", or a call in \"submit\""
        }
        About::Form => "give the form a \"submit\", or a \"source\" to fetch it from",
        About::FieldName => "give the field a \"name\" of one word",
        About::FieldLabel => {
            "give each field a \"label\" of one word that no other field has; \"modal_label\" may be longer"
        }
        About::Option => "give each option a \"label\" and a \"value\" of its own",
        About::Choices => "give a static_select \"options\", and a dynamic_select a \"lookup\" call",
    }
}

/// How bad breaking a rule for bindings is: whether something is missing from what people see.
pub(super) fn hides(about: About) -> bool {
    !matches!(about, About::Blanks | About::Icon | About::Form | About::Option)
}

/// A text of the wire without the kind at its end, which says nothing to an author.
pub(in crate::boot) fn plain(text: &str) -> &str {
    text.strip_suffix(": invalid input").unwrap_or(text)
}
