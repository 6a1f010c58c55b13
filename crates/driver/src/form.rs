//! Forms and their fields, and what a call wants to see.

use tessera_types::{Call, Expand, Field, Form, RawJson, SelectOption};

/// Begins a call of one of the App's paths, with nothing expanded.
pub fn call(path: impl Into<String>) -> CallBuilder {
    CallBuilder(Call::new(path))
}

/// A call in the making.
#[derive(Clone, Debug)]
#[must_use]
pub struct CallBuilder(Call);

macro_rules! expanders {
    ($($(#[$doc:meta])* $method:ident: $member:ident = $level:literal;)*) => {$(
        $(#[$doc])*
        pub fn $method(mut self) -> Self {
            self.0.expand.get_or_insert_default().$member = $level.to_owned();
            self
        }
    )*};
}

impl CallBuilder {
    expanders! {
        /// Expands the App's OAuth2 credentials and the connect and complete URLs.
        oauth2_app: oauth2_app = "all";
        /// Expands the acting user's OAuth2 record.
        oauth2_user: oauth2_user = "all";
        /// Expands who calls: id, name, roles.
        acting_user: acting_user = "summary";
        /// Expands the channel: id, name.
        channel: channel = "summary";
        /// Expands the post, for entries of the post menu.
        post: post = "summary";
        /// Expands the acting user's language.
        locale: locale = "all";
    }

    /// Expands what [`Client::as_acting_user`](crate::Client::as_acting_user) needs: the acting user and
    /// the token to act as them. Without them the call is not made at all.
    pub fn as_acting_user(mut self) -> Self {
        let expand = self.0.expand.get_or_insert_default();
        expand.acting_user_access_token = "+all".to_owned();
        if expand.acting_user.is_empty() {
            expand.acting_user = "+summary".to_owned();
        }
        self
    }

    /// Sets the whole expand object, for what has no method here.
    pub fn expand(mut self, expand: Expand) -> Self {
        self.0.expand = Some(expand);
        self
    }

    /// The App's own JSON, passed back to it.
    pub fn state(mut self, state: RawJson) -> Self {
        self.0.state = Some(state);
        self
    }
}

impl From<CallBuilder> for Call {
    fn from(builder: CallBuilder) -> Self {
        builder.0
    }
}

/// Begins a form that is submitted with this call.
pub fn form(title: impl Into<String>, submit: impl Into<Call>) -> FormBuilder {
    FormBuilder(Form { title: title.into(), submit: Some(submit.into()), ..Form::default() })
}

/// A form in the making.
#[derive(Clone, Debug)]
#[must_use]
pub struct FormBuilder(Form);

impl FormBuilder {
    /// Markdown above the fields.
    pub fn header(mut self, markdown: impl Into<String>) -> Self {
        self.0.header = markdown.into();
        self
    }

    /// Adds a field.
    pub fn field(mut self, field: impl Into<Field>) -> Self {
        self.0.fields.push(field.into());
        self
    }
}

impl From<FormBuilder> for Form {
    fn from(builder: FormBuilder) -> Self {
        builder.0
    }
}

/// A line of text. The name is a single word, and the key among the values.
pub fn text(name: impl Into<String>) -> FieldBuilder {
    field(name, "text")
}

/// A line of text that is not shown while it is typed.
pub fn password(name: impl Into<String>) -> FieldBuilder {
    text(name).subtype("password")
}

/// A yes or no.
pub fn boolean(name: impl Into<String>) -> FieldBuilder {
    field(name, "bool")
}

/// One of these options.
pub fn select<L: Into<String>, V: Into<String>>(
    name: impl Into<String>,
    options: impl IntoIterator<Item = (L, V)>,
) -> FieldBuilder {
    let option = |(label, value): (L, V)| SelectOption {
        label: label.into(),
        value: value.into(),
        ..SelectOption::default()
    };
    let mut field = field(name, "static_select");
    field.0.options = options.into_iter().map(option).collect();
    field
}

/// A field of any type: `text`, `static_select`, `dynamic_select`, `bool`, `user`, `channel`, `markdown`.
pub fn field(name: impl Into<String>, kind: impl Into<String>) -> FieldBuilder {
    FieldBuilder(Field { name: name.into(), kind: kind.into(), ..Field::default() })
}

/// A field in the making.
#[derive(Clone, Debug)]
#[must_use]
pub struct FieldBuilder(Field);

impl FieldBuilder {
    /// Its flag in a slash command: a single word; by default the name with `-` for `_`.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.0.label = label.into();
        self
    }

    /// Its name in a dialog.
    pub fn modal_label(mut self, label: impl Into<String>) -> Self {
        self.0.modal_label = label.into();
        self
    }

    /// One line of help.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.0.description = description.into();
        self
    }

    /// It must be filled in.
    pub fn required(mut self) -> Self {
        self.0.is_required = true;
        self
    }

    /// `input`, `textarea`, `number`, `email`, `tel`, `url`, `password`.
    pub fn subtype(mut self, subtype: impl Into<String>) -> Self {
        self.0.subtype = subtype.into();
        self
    }

    /// In a slash command it may be given without its flag, as the so-manieth word; from 1.
    pub fn position(mut self, position: i64) -> Self {
        self.0.position = position;
        self
    }
}

impl From<FieldBuilder> for Field {
    fn from(builder: FieldBuilder) -> Self {
        builder.0
    }
}
