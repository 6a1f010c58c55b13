//! Forms as a person meets them: fields that can be typed into, and buttons with words on them.

use url::Url;

use super::html::{Piece, pieces};

/// A form on a page.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// As written; the page's own address when absent.
    pub(super) action: Option<String>,
    /// `post`, else `get`.
    pub(super) post: bool,
    controls: Vec<Control>,
}

#[derive(Debug, Default)]
struct Control {
    kind: Kind,
    name: String,
    value: String,
    /// The words on a button.
    words: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Not shown, sent back as it came.
    #[default]
    Hidden,
    Text,
    Password,
    Button,
}

impl Form {
    /// The forms of a document.
    pub(super) fn all(html: &str) -> Vec<Self> {
        let mut forms = Vec::new();
        let mut open: Option<Self> = None;
        let mut in_button = false;
        for piece in pieces(html) {
            match (&piece, &mut open) {
                (Piece::Open { name, .. }, None) if name == "form" => {
                    let post = piece.attribute("method").is_some_and(|m| m.eq_ignore_ascii_case("post"));
                    let action = piece.attribute("action").filter(|action| !action.is_empty());
                    open = Some(Self { action: action.map(str::to_owned), post, controls: Vec::new() });
                }
                (Piece::Open { name, .. }, Some(form)) => {
                    form.controls.extend(Control::read(name, &piece));
                    in_button |= name == "button";
                }
                (Piece::Text(words), Some(form)) if in_button => {
                    if let Some(button) = form.controls.last_mut() {
                        button.words.push_str(words);
                    }
                }
                (Piece::Close(name), Some(_)) if name == "form" => forms.extend(open.take()),
                (Piece::Close(name), _) if name == "button" => in_button = false,
                _ => {}
            }
        }
        // The end of a document ends its form.
        forms.extend(open);
        forms
    }

    /// Whether it asks for a password.
    pub(super) fn asks_for_password(&self) -> bool {
        self.controls.iter().any(|control| control.kind == Kind::Password)
    }

    /// Types a name into the first text field and a password into the password field.
    pub(super) fn sign_in(mut self, name: &str, password: &str) -> Self {
        for (kind, typed) in [(Kind::Text, name), (Kind::Password, password)] {
            if let Some(field) = self.controls.iter_mut().find(|control| control.kind == kind) {
                typed.clone_into(&mut field.value);
            }
        }
        self
    }

    /// What is sent when the button with these words is pressed: `application/x-www-form-urlencoded`. `None`: it
    /// has no such button.
    pub(super) fn press(&self, words: &str) -> Option<String> {
        let is_it = |control: &Control| control.kind == Kind::Button && control.words.trim() == words;
        let pressed = self.controls.iter().position(is_it)?;
        let sent = self.controls.iter().enumerate().filter(|(place, control)| {
            !control.name.is_empty() && (control.kind != Kind::Button || *place == pressed)
        });
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        let sent = sent.map(|(_, control)| (&control.name, &control.value));
        Some(form.extend_pairs(sent).finish())
    }

    /// The words on its buttons.
    pub(super) fn buttons(&self) -> Vec<&str> {
        let buttons = self.controls.iter().filter(|control| control.kind == Kind::Button);
        buttons.map(|button| button.words.trim()).collect()
    }

    /// Where it goes from the page at `url`.
    pub(super) fn target(&self, url: &Url) -> Option<Url> {
        self.action.as_ref().map_or_else(|| Some(url.clone()), |action| url.join(action).ok())
    }
}

impl Control {
    fn read(tag: &str, piece: &Piece) -> Option<Self> {
        let text = |name| piece.attribute(name).unwrap_or_default().to_owned();
        let kind = piece.attribute("type").unwrap_or_default().to_ascii_lowercase();
        let (kind, words) = match (tag, kind.as_str()) {
            ("button", "" | "submit") => (Kind::Button, String::new()),
            ("input", "submit") => (Kind::Button, text("value")),
            ("input", "hidden") => (Kind::Hidden, String::new()),
            ("input", "password") => (Kind::Password, String::new()),
            ("input", "" | "text" | "email") => (Kind::Text, String::new()),
            _ => return None,
        };
        Some(Self { kind, name: text("name"), value: text("value"), words })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<p>before</p><form method="POST" action="/sign-in">
        <input type="hidden" name="csrf" value="a&amp;b"><input name="who" value="old"><input type=password name=pw>
        <button type="submit" name="decision" value="approve">Allow</button>
        <button name="decision" value="deny">
          Deny</button></form><form action=""><input type="submit" value="Go"></form>"#;

    #[test]
    fn a_form_is_filled_in_and_one_button_is_pressed() {
        let mut forms = Form::all(PAGE).into_iter();
        let form = forms.next().unwrap().sign_in("ada", "p w");
        assert!(form.post && form.asks_for_password());
        assert_eq!(form.buttons(), ["Allow", "Deny"]);
        assert_eq!(form.press("Deny").unwrap(), "csrf=a%26b&who=ada&pw=p+w&decision=deny");
        assert_eq!(form.press("Allow").unwrap(), "csrf=a%26b&who=ada&pw=p+w&decision=approve");
        assert_eq!(form.press("Maybe"), None);
        let page = Url::parse("http://localhost:1/a/b?c=d").unwrap();
        assert_eq!(form.target(&page).unwrap().as_str(), "http://localhost:1/sign-in");
        let other = forms.next().unwrap();
        assert!(!other.post && !other.asks_for_password());
        assert_eq!(other.target(&page).unwrap(), page);
        assert_eq!(other.press("Go").unwrap(), "");
    }
}
