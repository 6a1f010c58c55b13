//! Bindings as Apps send them, made fit to be shown (apps-framework.md section 10.3).

use tessera_types::{App, AppId, Binding, CallResponse, location};

use crate::calls::forms::{About, Problem, clean_form, has_space, icon_url};

/// What an App's answer to its bindings call comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// What can be shown.
    pub bindings: Vec<Binding>,
    /// What was wrong, in the order in which it was met.
    pub problems: Vec<Problem>,
}

impl Outcome {
    /// Nothing to show, and why.
    pub(super) fn failed(about: About, text: impl Into<String>) -> Self {
        Self { bindings: Vec::new(), problems: vec![Problem::new(about, text)] }
    }

    /// Reads an App's answer (section 10.2). `user_agent` is `webapp` where that makes a difference.
    pub fn of(app: &App, site_url: &str, user_agent: &str, response: CallResponse) -> Self {
        let failed = |text: String| Self::failed(About::Answer, text);
        match response.kind.as_str() {
            CallResponse::OK => {}
            CallResponse::ERROR => return failed(format!("received app error: {}", response.text)),
            other => return failed(format!("unexpected response type \"{other}\"")),
        }
        let listed = match response.data.filter(|data| !data.is_null()) {
            Some(data) => data.to::<Vec<Binding>>(),
            None => Ok(Vec::new()),
        };
        match listed {
            Ok(listed) => {
                let mut cleaning = Cleaning::new(app, site_url, user_agent);
                let bindings = cleaning.list("", listed);
                Self { bindings, problems: cleaning.problems }
            }
            Err(error) => failed(format!("failed to decode bindings: {error}")),
        }
    }
}

/// What cleaning needs to know, and the problems that it finds.
pub(crate) struct Cleaning<'a> {
    app: &'a App,
    id: AppId,
    site_url: &'a str,
    user_agent: &'a str,
    /// In the order in which they were met.
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Cleaning<'a> {
    pub(crate) fn new(app: &'a App, site_url: &'a str, user_agent: &'a str) -> Self {
        let id = AppId::unchecked(app.manifest.app_id.as_str());
        Self { app, id, site_url, user_agent, problems: Vec::new() }
    }

    /// The bindings below `parent`, a full location, that can be shown; each is judged by itself.
    pub(crate) fn list(&mut self, parent: &str, bindings: Vec<Binding>) -> Vec<Binding> {
        bindings.into_iter().filter_map(|binding| self.one(parent, binding)).collect()
    }

    fn one(&mut self, parent: &str, mut binding: Binding) -> Option<Binding> {
        if binding.location.is_empty() && binding.label.is_empty() {
            self.note(About::Nameless, parent, "sub-binding with no location nor label");
            return None;
        }
        if binding.location.is_empty() {
            binding.location = binding.label.clone();
        }
        let trimmed = trim(&mut binding.location);
        let full = below(parent, &binding.location);
        if trimmed {
            self.note(About::Blanks, &full, "trimmed whitespace from location");
        }
        if !self.app.granted_locations.iter().any(|granted| location::is_in(&full, granted)) {
            self.note(About::Location, &full, "location is not granted: forbidden");
            return None;
        }
        if !location::is_top(&full) {
            binding.app_id = self.id.as_str().to_owned();
        }
        self.label(&full, &mut binding)?;
        self.icon(&full, &mut binding);
        if parent == location::CHANNEL_HEADER && binding.icon.is_empty() && self.user_agent == "webapp" {
            self.note(About::NoIcon, &full, "no icon in channel header binding");
            return None;
        }
        self.contents(&full, binding)
    }

    /// Only commands are typed: their labels are single words, and never missing.
    fn label(&mut self, full: &str, binding: &mut Binding) -> Option<()> {
        let typed = full.strip_prefix(location::COMMAND).is_some_and(|rest| rest.starts_with('/'));
        if !typed {
            return Some(());
        }
        if binding.label.is_empty() {
            binding.label = binding.location.trim_start_matches('/').to_owned();
        }
        let given = binding.label.clone();
        if trim(&mut binding.label) {
            self.note(About::Blanks, full, &format!("trimmed whitespace from label {given}"));
        }
        if has_space(&binding.label) {
            self.note(About::Label, full, &format!("command label \"{}\" has multiple words", binding.label));
            return None;
        }
        Some(())
    }

    fn icon(&mut self, full: &str, binding: &mut Binding) {
        binding.icon = icon_url(&binding.icon, self.site_url, &self.id).unwrap_or_else(|_| {
            self.note(About::Icon, full, &format!("invalid icon path \"{}\" in binding", binding.icon));
            String::new()
        });
    }

    /// Exactly one of children, a form and a call.
    fn contents(&mut self, full: &str, mut binding: Binding) -> Option<Binding> {
        let filled = [!binding.bindings.is_empty(), binding.form.is_some(), binding.submit.is_some()];
        if filled.into_iter().filter(|one| *one).count() != 1 {
            // Two spaces: the original's text.
            self.note(
                About::Contents,
                full,
                "(only) one of  \"submit\", \"form\", or \"bindings\" must be set in a binding",
            );
            return None;
        }
        if !binding.bindings.is_empty() {
            binding.bindings = self.list(full, std::mem::take(&mut binding.bindings));
            if binding.bindings.is_empty() {
                return None;
            }
        }
        if let Some(form) = binding.form.take() {
            let (form, problems) = clean_form(form, self.site_url, &self.id);
            self.problems.extend(problems);
            binding.form = Some(form);
        }
        Some(binding)
    }

    fn note(&mut self, about: About, full: &str, what: &str) {
        self.problems.push(Problem::new(about, format!("{full}: {what}")));
    }
}

/// Whether there was anything to trim.
fn trim(text: &mut String) -> bool {
    let trimmed = text.trim();
    if trimmed.len() == text.len() {
        return false;
    }
    *text = trimmed.to_owned();
    true
}

/// A location below its parent's full one.
fn below(parent: &str, location: &str) -> String {
    format!("{parent}/{}", location.strip_prefix('/').unwrap_or(location))
}
