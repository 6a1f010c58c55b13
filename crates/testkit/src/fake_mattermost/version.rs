//! Which Mattermost it is, and what each version can do.

/// Major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// Before native Apps.
    pub const V5_37: Self = Self(5, 37);
    /// With them switched on.
    pub const V6_7: Self = Self(6, 7);
    /// The first in which they are off unless a flag says otherwise.
    pub const V10_0: Self = Self(10, 0);
    /// The last of the tens.
    pub const V10_11: Self = Self(10, 11);
    /// Dialogs with several choices, and choices that are looked up.
    pub const V11_0: Self = Self(11, 0);
    /// Dialogs of several steps.
    pub const V11_1: Self = Self(11, 1);
    /// After public clients and PKCE, before blocks.
    pub const V11_6: Self = Self(11, 6);
    /// The extended support release of the elevens.
    pub const V11_7: Self = Self(11, 7);
    /// Blocks, stacked dialogs and tokens that are rotated.
    pub const V11_10: Self = Self(11, 10);
    /// Where the original cannot run.
    pub const V12_0: Self = Self(12, 0);

    /// `multiselect` of a dialog's select.
    pub fn has_multiselect_dialogs(self) -> bool {
        self >= Self::V11_0
    }

    /// `data_source` `dynamic` of a dialog's select.
    pub fn has_dynamic_selects(self) -> bool {
        self >= Self::V11_0
    }

    /// Replies of type `form`, and `refresh` of an element.
    pub fn has_dialog_steps(self) -> bool {
        self >= Self::V11_1
    }

    /// Elements `date` and `datetime`.
    pub fn has_dialog_dates(self) -> bool {
        self >= Self::V11_1
    }

    /// `min_date` and `max_date` at the top of an element; later they are within `datetime_config` alone.
    pub fn has_date_limits_at_the_top(self) -> bool {
        self < Self::V12_0
    }

    /// Element `action_button`, and dialogs above dialogs.
    pub fn has_stacked_dialogs(self) -> bool {
        self >= Self::V11_10
    }

    /// Element `file`.
    pub fn has_dialog_files(self) -> bool {
        self >= Self::V11_10
    }

    /// Elements `checkbox_group` and `checkbox_matrix`.
    pub fn has_checkbox_groups(self) -> bool {
        self >= Self::V12_0
    }

    /// The longest title of a dialog.
    pub fn longest_dialog_title(self) -> usize {
        if self >= Self::V12_0 { 80 } else { 24 }
    }

    /// `props.mm_blocks`, and `_` and `-` in ids of actions.
    pub fn has_blocks(self) -> bool {
        self >= Self::V11_10
    }

    /// `POST /users/tokens/rotate`.
    pub fn has_token_rotation(self) -> bool {
        self >= Self::V11_10
    }

    /// `expires_at` of a personal access token, and a setting that demands one.
    pub fn has_token_lifetimes(self) -> bool {
        self >= Self(11, 9)
    }

    /// The demand for a lifetime holds for bots that a person owns too.
    pub fn limits_tokens_of_bots(self) -> bool {
        self >= Self::V12_0
    }

    /// Public clients, PKCE and the metadata document of the provider.
    pub fn has_public_clients(self) -> bool {
        self >= Self(11, 2)
    }

    /// `mattermost_app_id` of a new client; later it is taken in an update alone.
    pub fn takes_app_id_of_new_clients(self) -> bool {
        self < Self(11, 2)
    }

    /// `mattermost_app_id` and `oauth_app_id` among a session's props.
    pub fn has_app_props(self) -> bool {
        self >= Self(6, 0)
    }

    /// A fresh one gives `manage_oauth` to administrators.
    pub fn gives_manage_oauth_to_admins(self) -> bool {
        self < Self::V11_0
    }

    /// The permission for commands bears its newer name.
    pub fn has_own_slash_commands(self) -> bool {
        self >= Self::V11_0
    }

    /// `AppsPluginEnabled` in the client configuration.
    pub fn tells_of_the_apps_plugin(self) -> bool {
        self >= Self(10, 1) && self < Self::V12_0
    }

    /// It starts with the flag for native Apps set.
    pub fn starts_with_the_apps_flag(self) -> bool {
        self < Self::V12_0
    }

    /// A trigger id lives as long as an integration may take to answer; before, three seconds.
    pub fn triggers_follow_the_timeout(self) -> bool {
        self >= Self::V10_0
    }

    /// A `root_id` comes with a command.
    pub fn commands_have_a_root(self) -> bool {
        self >= Self(6, 0)
    }

    /// Nobody but a webhook or a plugin may say in whose name a post is shown.
    pub fn strips_senders(self) -> bool {
        self >= Self::V12_0
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}.0", self.0, self.1)
    }
}
