//! Buttons below a message, for what an App offers that needs no words (C.6, C.8): its commands, what it has at a channel's
//! header, and at the post that was replied to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tessera_types::{AppId, Binding, Call, Context, Field, Form, RawJson, location};

use super::mark::Kind;
use super::{Answer, Asking, Bridge, dialog, path_of};
use crate::platform::ACTIONS;

/// How many buttons one message has at most: more nobody reads.
const MOST: usize = 20;
/// How long a button's name is at most, in bytes.
const NAME: usize = 60;
/// The name of our mark in what Mattermost keeps of a button.
pub(super) const MARK: &str = "tessera";

/// A button, as it is marked.
#[derive(Serialize, Deserialize)]
pub(super) struct Button {
    pub(super) does: Does,
    /// Where it was shown.
    pub(super) context: Context,
}

/// What becomes of it when it is pressed.
#[derive(Serialize, Deserialize)]
pub(super) enum Does {
    /// What the App has at the context's location by then.
    Binding,
    /// A call.
    Submit(Box<Submit>),
    /// A form, where none could be shown when its App gave it.
    Form(Box<Form>),
}

/// A call whose values are known already.
#[derive(Serialize, Deserialize)]
pub(super) struct Submit {
    pub(super) call: Call,
    pub(super) values: BTreeMap<String, RawJson>,
    /// What the message says afterwards, instead of showing buttons.
    pub(super) said: String,
}

/// What an App has below a top location.
pub(super) fn of_app<'a>(all: &'a [Binding], top: &str, app: &AppId) -> Vec<&'a Binding> {
    let top = all.iter().find(|binding| binding.location == top);
    let below = top.into_iter().flat_map(|top| &top.bindings);
    below.filter(|binding| binding.app_id == app.as_str()).collect()
}

/// Something that can be pressed.
struct Leaf<'a> {
    label: String,
    location: String,
    binding: &'a Binding,
}

/// What does something, at whatever depth, with the labels that lead there.
fn leaves<'a>(level: impl IntoIterator<Item = &'a Binding>, at: &str, said: &str, found: &mut Vec<Leaf<'a>>) {
    for binding in level {
        let location = format!("{at}/{}", binding.location.trim_start_matches('/'));
        let label = if binding.label.is_empty() { &binding.location } else { &binding.label };
        let label = format!("{said} {label}").trim().to_owned();
        if !binding.bindings.is_empty() {
            leaves(&binding.bindings, &location, &label, found);
        } else if binding.submit.is_some() || binding.form.is_some() {
            found.push(Leaf { label, location, binding });
        }
    }
}

/// Whether a command can be given by its name alone.
fn needs_no_words(binding: &Binding) -> bool {
    let fields = binding.form.iter().flat_map(|form| &form.fields);
    fields.into_iter().all(|field| !field.is_required || field.value.is_some())
}

/// What an App has at a location now.
pub(super) fn at<'a>(all: &'a [Binding], location: &str, app: &AppId) -> Option<&'a Binding> {
    let mut found = Vec::new();
    for top in [location::COMMAND, location::CHANNEL_HEADER, location::POST_MENU] {
        leaves(of_app(all, top, app), top, "", &mut found);
    }
    found.into_iter().find(|leaf| leaf.location == location).map(|leaf| leaf.binding)
}

/// The one field of a form that is only about which button.
fn only(form: &Form) -> Option<&Field> {
    let mut fields = form.fields.iter().filter(|field| field.kind != "markdown");
    let field = fields.next().filter(|field| fields.next().is_none() && field.name == form.submit_buttons)?;
    let fits = field.kind == "static_select" && (1..=MOST).contains(&field.options.len());
    (fits && !field.multiselect).then_some(field)
}

impl Bridge {
    /// Buttons for all that an App offers here that can be had by pressing one.
    pub(super) fn buttons_of(&self, asking: Asking<'_>, all: &[Binding], context: &Context) -> Vec<Value> {
        let app = asking.app;
        let own = of_app(all, location::COMMAND, app);
        let (mut commands, mut header, mut post) = (Vec::new(), Vec::new(), Vec::new());
        // The App's own word need not be said again.
        for root in own {
            let at = format!("{}/{}", location::COMMAND, root.location.trim_start_matches('/'));
            match root.bindings.is_empty() {
                true => leaves([root], location::COMMAND, "", &mut commands),
                false => leaves(&root.bindings, &at, "", &mut commands),
            }
        }
        commands.retain(|leaf| needs_no_words(leaf.binding));
        leaves(of_app(all, location::CHANNEL_HEADER, app), location::CHANNEL_HEADER, "", &mut header);
        let replied_to = context.root_post_id.as_str();
        if !replied_to.is_empty() {
            leaves(of_app(all, location::POST_MENU, app), location::POST_MENU, "", &mut post);
        }
        let mut rows = Vec::new();
        let mut left = MOST;
        for (about, found) in [("Commands", commands), ("This channel", header), ("This post", post)] {
            let of_post = about == "This post";
            let buttons: Vec<Value> = found
                .iter()
                .take(left)
                .enumerate()
                .map(|(nth, leaf)| {
                    let context = Context {
                        location: leaf.location.clone(),
                        // As from the post's own menu.
                        post_id: if of_post { replied_to.to_owned() } else { String::new() },
                        root_post_id: if of_post { String::new() } else { context.root_post_id.clone() },
                        ..context.clone()
                    };
                    self.button(
                        asking,
                        MOST - left + nth,
                        &leaf.label,
                        &Button { does: Does::Binding, context },
                    )
                })
                .collect();
            left -= buttons.len();
            if !buttons.is_empty() {
                rows.push(row(about, &buttons));
            }
        }
        rows
    }

    /// A form that is only about which button, as a message with those; None for every other form.
    pub(super) fn as_buttons(&self, asking: Asking<'_>, form: &Form, context: &Context) -> Option<Answer> {
        let (field, submit) = (only(form)?, form.submit.clone()?);
        let mut text: Vec<String> = Vec::new();
        if !form.title.is_empty() {
            text.push(format!("**{}**", form.title));
        }
        let markdown = form.fields.iter().filter(|field| field.kind == "markdown");
        let said = [&form.header].into_iter().chain(markdown.map(|field| &field.description));
        text.extend(said.chain([&field.description, &form.footer]).filter(|said| !said.is_empty()).cloned());
        let text = text.join("\n\n");
        let options = field.options.iter().enumerate();
        let buttons: Vec<Value> = options
            .map(|(nth, option)| {
                let label = if option.label.is_empty() { &option.value } else { &option.label };
                let value = RawJson::from_value(&json!({"label": label, "value": option.value})).ok();
                let values = value.map(|value| (field.name.clone(), value)).into_iter().collect();
                let said = format!("{text}\n\n{label}").trim().to_owned();
                let does = Does::Submit(Box::new(Submit { call: submit.clone(), values, said }));
                self.button(asking, nth, label, &Button { does, context: context.clone() })
            })
            .collect();
        Some(Answer::text(text).with(vec![row("", &buttons)]))
    }

    /// A form that is shown once a button is pressed: nothing else opens a dialog.
    pub(super) fn as_button(&self, asking: Asking<'_>, form: Form, context: Context) -> Answer {
        let title = if form.title.is_empty() { "The App asks for more." } else { form.title.as_str() };
        let title = title.to_owned();
        let button = Button { does: Does::Form(Box::new(form)), context };
        Answer::text(title).with(vec![row("", &[self.button(asking, 0, "Fill in", &button)])])
    }

    fn button(&self, asking: Asking<'_>, nth: usize, label: &str, button: &Button) -> Value {
        let mark = self.mark(Kind::Button, asking.app, &asking.who.user_id, button);
        let url = self.site.address(&path_of(ACTIONS, asking.app));
        // Letters and digits alone: older ones know no other names of buttons.
        let id = format!("button{nth}");
        json!({"id": id, "name": dialog::cut(label, NAME), "type": "button",
               "integration": {"url": url, "context": {MARK: mark}}})
    }
}

fn row(about: &str, buttons: &[Value]) -> Value {
    let names: Vec<&str> = buttons.iter().filter_map(|button| button["name"].as_str()).collect();
    json!({"pretext": about, "fallback": names.join(", "), "actions": buttons})
}
