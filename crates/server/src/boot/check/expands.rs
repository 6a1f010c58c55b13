//! What calls ask to be sent along, against what they will get (apps-framework.md sections 3.6, 5.6 and 6).

use tessera_types::{Binding, Call, Expand, ExpandLevel, Form, Manifest, Permission, parse_level};

use super::finding::Findings;
use crate::calls::Outcome;

/// Judges the calls of the manifest, and those of the bindings where they are known.
pub(super) fn judge(manifest: &Manifest, outcome: Option<&Outcome>, findings: &mut Findings) {
    let mut judging = Judging { manifest, findings, connects: false };
    for (name, call) in [
        ("bindings", &manifest.bindings),
        ("on_install", &manifest.on_install),
        ("on_version_changed", &manifest.on_version_changed),
        ("on_uninstall", &manifest.on_uninstall),
        ("on_enable", &manifest.on_enable),
        ("on_disable", &manifest.on_disable),
        ("get_oauth2_connect_url", &manifest.get_oauth2_connect_url),
        ("on_oauth2_complete", &manifest.on_oauth2_complete),
        ("on_remote_webhook", &manifest.on_remote_webhook),
    ] {
        if let Some(call) = call {
            judging.path(name, call);
            judging.expand(name, call);
        }
    }
    if !judging.may(Permission::REMOTE_OAUTH2) {
        return judging.bindings(outcome);
    }
    // A call that says what it wants gets nothing else: the defaults are for calls that say nothing.
    let (connect, complete) = (manifest.connect_call(), manifest.complete_call());
    judging.needs(
        "get_oauth2_connect_url",
        &connect,
        "oauth2_app",
        "there is no client id and no redirect URI",
    );
    judging.needs("on_oauth2_complete", &complete, "oauth2_app", "the code cannot be swapped for a token");
    let stored = "the user's record cannot be stored as theirs";
    judging.needs("on_oauth2_complete", &complete, "acting_user_access_token", stored);
    judging.bindings(outcome);
    if outcome.is_some() && !judging.connects {
        let what = "no call of the bindings expands oauth2_app to \"all\", so none can show the connect URL";
        let mend = "expand it in the call that lets people connect";
        judging.findings.warning("bindings", what, mend);
    }
}

struct Judging<'a> {
    manifest: &'a Manifest,
    findings: &'a mut Findings,
    /// Whether a call was met that can show the connect URL.
    connects: bool,
}

impl Judging<'_> {
    fn may(&self, permission: &str) -> bool {
        self.manifest.requested_permissions.iter().any(|asked| asked == permission)
    }

    fn bindings(&mut self, outcome: Option<&Outcome>) {
        for top in outcome.iter().flat_map(|outcome| &outcome.bindings) {
            self.binding(&top.location, top);
        }
    }

    fn binding(&mut self, at: &str, binding: &Binding) {
        if let Some(call) = &binding.submit {
            self.by_user(at, call);
        }
        if let Some(form) = &binding.form {
            self.form(at, form);
        }
        for child in &binding.bindings {
            self.binding(&format!("{at}/{}", child.location.trim_start_matches('/')), child);
        }
    }

    fn form(&mut self, at: &str, form: &Form) {
        for call in form.submit.iter().chain(&form.source) {
            self.by_user(at, call);
        }
        for field in &form.fields {
            if let Some(call) = &field.lookup {
                self.by_user(&format!("{at}, field {}", field.name), call);
            }
        }
    }

    /// A call that people make.
    fn by_user(&mut self, at: &str, call: &Call) {
        self.path(at, call);
        if let Some(label) = self.manifest.reserved_path(&call.path) {
            let what = format!("people cannot call {}: it is the App's {label}", call.path);
            self.findings.error(at, what, "choose another path");
        }
        self.expand(at, call);
        self.connects |= level(call, "oauth2_app") == Some(ExpandLevel::All);
    }

    fn path(&mut self, at: &str, call: &Call) {
        if !call.path.is_empty() && !call.path.starts_with('/') {
            let what = format!("the path {:?} does not begin with a slash", call.path);
            self.findings.warning(at, what, "begin it with one");
        }
    }

    fn expand(&mut self, at: &str, call: &Call) {
        let Some(expand) = &call.expand else { return };
        if !self.may(Permission::ACT_AS_USER) && !self.may(Permission::ACT_AS_BOT) {
            let what = "the call expands something, and fails: the App may act as nobody";
            self.findings.error(at, what, "ask for act_as_user or act_as_bot");
        }
        for (member, text) in members(expand) {
            let parsed = match parse_level(text) {
                Err(error) => {
                    let mend = "write id, summary or all, with a + before it if the call is to fail without";
                    self.findings.error(format!("{at}: {member}"), error, mend);
                    continue;
                }
                Ok((ExpandLevel::None, _)) => continue,
                Ok(parsed) => parsed,
            };
            if text.starts_with('-') {
                let what = format!("{text:?} is understood here, and fails in the original framework");
                self.findings.warning(format!("{at}: {member}"), what, "leave the - out: it means nothing");
            }
            self.member(&format!("{at}: {member}"), member, text, parsed);
        }
    }

    fn member(&mut self, at: &str, member: &str, text: &str, (level, required): (ExpandLevel, bool)) {
        let only_all = ["oauth2_app", "oauth2_user", "acting_user_access_token"].contains(&member);
        if only_all && level != ExpandLevel::All {
            self.findings.error(at, format!("{text:?} gives nothing"), "write \"all\"");
            return;
        }
        let needed = match member {
            "oauth2_app" | "oauth2_user" => Permission::REMOTE_OAUTH2,
            "acting_user_access_token" => Permission::ACT_AS_USER,
            _ => return,
        };
        if self.may(needed) {
            return;
        }
        let mend = format!("ask for {needed} in \"requested_permissions\"");
        match required {
            true => self.findings.error(at, format!("the call fails: the App has not {needed}"), mend),
            false => self.findings.warning(at, format!("nothing comes: the App has not {needed}"), mend),
        }
    }

    fn needs(&mut self, at: &str, call: &Call, member: &str, without: &str) {
        if level(call, member) != Some(ExpandLevel::All) {
            let mend = format!("add \"{member}\": \"all\" to its expand, or leave expand out");
            self.findings.error(at, format!("{member} is not expanded: {without}"), mend);
        }
    }
}

fn level(call: &Call, member: &str) -> Option<ExpandLevel> {
    let expand = call.expand.as_ref()?;
    let (_, text) = members(expand).into_iter().find(|(name, _)| *name == member)?;
    parse_level(text).ok().map(|(level, _)| level)
}

fn members(expand: &Expand) -> [(&'static str, &str); 13] {
    [
        ("app", &expand.app),
        ("acting_user", &expand.acting_user),
        ("acting_user_access_token", &expand.acting_user_access_token),
        ("locale", &expand.locale),
        ("channel", &expand.channel),
        ("channel_member", &expand.channel_member),
        ("team", &expand.team),
        ("team_member", &expand.team_member),
        ("post", &expand.post),
        ("root_post", &expand.root_post),
        ("user", &expand.user),
        ("oauth2_app", &expand.oauth2_app),
        ("oauth2_user", &expand.oauth2_user),
    ]
}
