//! Bindings: where an App shows up, and what is called there.
//!
//! ```
//! use tessera_driver::{binding, call, form};
//!
//! // /hello greet --name Ann
//! // /hello bye
//! let greet = form::form("Greet", call("/greet")).field(form::text("name").required());
//! let commands = binding::command("hello")
//!     .child(binding::form("greet", greet))
//!     .child(binding::action("bye", call("/bye")).description("Says good-bye"));
//! ```

use tessera_types::{Binding, Call, Form};

/// A slash command: `command("hello")` is `/hello`. Give it children.
pub fn command(name: impl Into<String>) -> TopBinding {
    TopBinding { location: "/command", binding: Binding { location: name.into(), ..Binding::default() } }
}

/// A button in the channel header. It needs an icon to be shown in the web app.
pub fn channel_header(location: impl Into<String>, call: impl Into<Call>) -> TopBinding {
    TopBinding { location: "/channel_header", binding: action(location, call).0 }
}

/// An entry of the menu of each post.
pub fn post_menu(location: impl Into<String>, call: impl Into<Call>) -> TopBinding {
    TopBinding { location: "/post_menu", binding: action(location, call).0 }
}

/// An entry that makes a call at once; under a command its name is the subcommand.
pub fn action(location: impl Into<String>, call: impl Into<Call>) -> ChildBinding {
    ChildBinding(Binding { location: location.into(), submit: Some(call.into()), ..Binding::default() })
}

/// An entry that shows a form; under a command its fields are flags.
pub fn form(location: impl Into<String>, form: impl Into<Form>) -> ChildBinding {
    ChildBinding(Binding { location: location.into(), form: Some(form.into()), ..Binding::default() })
}

/// An entry with entries below it.
pub fn group(location: impl Into<String>, children: impl IntoIterator<Item = ChildBinding>) -> ChildBinding {
    let bindings = children.into_iter().map(Binding::from).collect();
    ChildBinding(Binding { location: location.into(), bindings, ..Binding::default() })
}

/// An entry below a top location.
#[derive(Clone, Debug)]
#[must_use]
pub struct ChildBinding(Binding);

/// An entry with its top location, as `/bindings` answers it.
#[derive(Clone, Debug)]
#[must_use]
pub struct TopBinding {
    location: &'static str,
    binding: Binding,
}

macro_rules! shared {
    ($type:ty, $($binding:tt)+) => {
        impl $type {
            /// What is shown; under `/command` the location by default.
            pub fn label(mut self, label: impl Into<String>) -> Self {
                self.$($binding)+.label = label.into();
                self
            }

            /// What may follow, for the autocomplete.
            pub fn hint(mut self, hint: impl Into<String>) -> Self {
                self.$($binding)+.hint = hint.into();
                self
            }

            /// One line of help.
            pub fn description(mut self, description: impl Into<String>) -> Self {
                self.$($binding)+.description = description.into();
                self
            }

            /// The name of a PNG among the App's static files, or a URL.
            pub fn icon(mut self, icon: impl Into<String>) -> Self {
                self.$($binding)+.icon = icon.into();
                self
            }
        }
    };
}
shared!(ChildBinding, 0);
shared!(TopBinding, binding);

impl TopBinding {
    /// Adds an entry below.
    pub fn child(mut self, child: impl Into<Binding>) -> Self {
        self.binding.bindings.push(child.into());
        self
    }
}

impl From<ChildBinding> for Binding {
    fn from(child: ChildBinding) -> Self {
        child.0
    }
}

impl From<TopBinding> for Binding {
    fn from(top: TopBinding) -> Self {
        Self { location: top.location.to_owned(), bindings: vec![top.binding], ..Self::default() }
    }
}
