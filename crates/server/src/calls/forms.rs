//! Forms as Apps send them, made fit to be shown (apps-framework.md section 10.4).

use std::collections::HashSet;
use std::fmt;

use tessera_types::{AppId, Field, Form, SelectOption, path, routes};

/// Something about a form or a binding that was wrong: for the log, or for whoever tests bindings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What it is about: each has its own remedy.
    pub about: About,
    /// The wire's text.
    pub text: String,
}

/// What a [`Problem`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// The answer as a whole: nothing of it can be shown.
    Answer,
    /// A binding without location and label.
    Nameless,
    /// Blanks around a location or a label, which were taken away.
    Blanks,
    /// A location that was not granted.
    Location,
    /// A label that is typed and has several words.
    Label,
    /// An icon that is no static asset.
    Icon,
    /// A channel header's button without an icon.
    NoIcon,
    /// A binding that is not exactly one of children, form and call.
    Contents,
    /// A form without a call.
    Form,
    /// A field without a usable name.
    FieldName,
    /// A field without a label of its own.
    FieldLabel,
    /// An option that cannot be told from another.
    Option,
    /// A field without anything to choose from.
    Choices,
}

impl Problem {
    pub(super) fn new(about: About, text: impl Into<String>) -> Self {
        Self { about, text: text.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Drops what cannot be shown, fills in default labels, makes the icon a URL. The form itself is always kept.
pub fn clean_form(mut form: Form, site_url: &str, app: &AppId) -> (Form, Vec<Problem>) {
    let mut problems = Vec::new();
    match icon_url(&form.icon, site_url, app) {
        Ok(icon) => form.icon = icon,
        Err(why) => {
            let text = format!("invalid icon path in form: invalid icon path: {why}");
            problems.push(Problem::new(About::Icon, text));
            form.icon.clear();
        }
    }
    if form.submit.is_none() && form.source.is_none() {
        problems.push(Problem::new(About::Form, "form must define either a submit or a source"));
    }
    let mut labels = HashSet::new();
    let mut fields = Vec::with_capacity(form.fields.len());
    for field in form.fields {
        match clean_field(field, &labels, &mut problems) {
            Ok(field) => {
                labels.insert(field.label.clone());
                fields.push(field);
            }
            Err(problem) => problems.push(problem),
        }
    }
    form.fields = fields;
    (form, problems)
}

/// An absolute URL as it is, anything else as a static asset of the App; nothing stays nothing.
pub(super) fn icon_url(icon: &str, site_url: &str, app: &AppId) -> Result<String, String> {
    if icon.is_empty() || icon.starts_with("http://") || icon.starts_with("https://") {
        return Ok(icon.to_owned());
    }
    let name = path::clean_static(icon).map_err(|error| error.to_string())?;
    Ok(routes::static_url(site_url, app, &name))
}

/// The field with its label, or why it is dropped. A dropped field takes no label.
fn clean_field(
    mut field: Field,
    labels: &HashSet<String>,
    problems: &mut Vec<Problem>,
) -> Result<Field, Problem> {
    let name = field.name.clone();
    let wrong = |about, text: String| Err(Problem::new(about, text));
    if name.is_empty() {
        return wrong(About::FieldName, format!("field with no name, label {}", field.label));
    }
    if has_space(&name) {
        return wrong(About::FieldName, format!("field name must be a single word: \"{name}\""));
    }
    if field.label.is_empty() {
        field.label = name.replace('_', "-");
    }
    let label = &field.label;
    if has_space(label) {
        return wrong(About::FieldLabel, format!("label must be a single word: \"{label}\" (field: {name})"));
    }
    if labels.contains(label) {
        return wrong(About::FieldLabel, format!("repeated label: \"{label}\" (field: {name})"));
    }
    match field.kind.as_str() {
        "static_select" => {
            field.options = clean_options(field.options, &name, problems);
            if field.options.is_empty() {
                return wrong(About::Choices, format!("no options for static select: {name}"));
            }
        }
        "dynamic_select" if field.lookup.is_none() => {
            return wrong(About::Choices, format!("no lookup call for dynamic select: {name}"));
        }
        _ => {}
    }
    Ok(field)
}

/// The options that can be told apart. A dropped option takes neither its label nor its value.
fn clean_options(options: Vec<SelectOption>, field: &str, problems: &mut Vec<Problem>) -> Vec<SelectOption> {
    let (mut labels, mut values) = (HashSet::new(), HashSet::new());
    let mut kept = Vec::with_capacity(options.len());
    for option in options {
        let label = if option.label.is_empty() { &option.value } else { &option.label };
        let problem = if label.is_empty() {
            format!("option with neither label nor value (field {field})")
        } else if labels.contains(label) {
            format!("repeated label \"{label}\" on select option (field {field})")
        } else if values.contains(&option.value) {
            format!("repeated value \"{}\" on select option (field {field})", option.value)
        } else {
            labels.insert(label.clone());
            values.insert(option.value.clone());
            kept.push(option);
            continue;
        };
        problems.push(Problem::new(About::Option, problem));
    }
    kept
}

pub(super) fn has_space(text: &str) -> bool {
    text.contains([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use tessera_types::Call;

    use super::*;

    fn cleaned(fields: Vec<Field>) -> (Vec<Field>, Vec<String>) {
        let form = Form { submit: Some(Call::new("/submit")), fields, ..Form::default() };
        let (form, problems) = clean_form(form, "", &AppId::unchecked("app1"));
        (form.fields, problems.iter().map(ToString::to_string).collect())
    }

    fn text(name: &str, label: &str) -> Field {
        Field { name: name.into(), label: label.into(), kind: "text".into(), ..Field::default() }
    }

    fn option(label: &str, value: &str) -> SelectOption {
        SelectOption { label: label.into(), value: value.into(), ..SelectOption::default() }
    }

    fn select(name: &str, options: &[SelectOption]) -> Field {
        Field { kind: "static_select".into(), options: options.to_vec(), ..text(name, "") }
    }

    fn labels(fields: &[Field]) -> Vec<&str> {
        fields.iter().map(|field| field.label.as_str()).collect()
    }

    #[test]
    fn c_uf_01_labels_come_from_names_and_nameless_fields_go() {
        let (fields, problems) = cleaned(vec![text("a_b", ""), text("a_b", "other"), text("", "lonely")]);
        assert_eq!(labels(&fields), ["a-b", "other"]);
        assert_eq!(problems, ["field with no name, label lonely"]);
    }

    #[test]
    fn c_uf_02_later_fields_of_a_label_go() {
        let (fields, problems) = cleaned(vec![text("one", ""), text("two", "one"), text("one", "")]);
        assert_eq!(labels(&fields), ["one"]);
        assert_eq!(
            problems,
            [r#"repeated label: "one" (field: two)"#, r#"repeated label: "one" (field: one)"#]
        );
    }

    #[test]
    fn c_uf_03_names_and_labels_are_single_words() {
        let (fields, problems) = cleaned(vec![text("a b", ""), text("c", "d\te"), text("f", "")]);
        assert_eq!(labels(&fields), ["f"]);
        assert_eq!(
            problems,
            [
                r#"field name must be a single word: "a b""#,
                "label must be a single word: \"d\te\" (field: c)"
            ]
        );
    }

    #[test]
    fn c_uf_04_static_selects_keep_what_can_be_told_apart() {
        let options = [
            option("l", "v"),
            option("", ""),
            option("l", "w"),
            option("", "l"),
            option("m", "v"),
            option("n", "x"),
        ];
        let (fields, problems) = cleaned(vec![select("field_1", &options), select("empty", &[])]);
        assert_eq!(labels(&fields), ["field-1"]);
        assert_eq!(fields[0].options, [option("l", "v"), option("n", "x")]);
        assert_eq!(
            problems,
            [
                "option with neither label nor value (field field_1)",
                r#"repeated label "l" on select option (field field_1)"#,
                r#"repeated label "l" on select option (field field_1)"#,
                r#"repeated value "v" on select option (field field_1)"#,
                "no options for static select: empty",
            ]
        );
        let dynamic = Field { kind: "dynamic_select".into(), ..text("dyn", "") };
        let (fields, problems) = cleaned(vec![dynamic]);
        assert!(fields.is_empty());
        assert_eq!(problems, ["no lookup call for dynamic select: dyn"]);
    }

    #[test]
    fn c_uf_05_what_is_dropped_takes_no_label_or_value() {
        let options = [option("a", "1"), option("a", "2"), option("b", "2")];
        let (fields, _) = cleaned(vec![select("x", &[]), select("x", &options)]);
        assert_eq!(labels(&fields), ["x"]);
        assert_eq!(fields[0].options, [option("a", "1"), option("b", "2")]);
    }

    #[test]
    fn forms_without_calls_are_kept_and_icons_become_urls() {
        let app = AppId::unchecked("app1");
        let form = |icon: &str| Form { icon: icon.into(), ..Form::default() };
        let (cleaned, problems) = clean_form(form("a///static.icon"), "https://mm.example.com", &app);
        assert_eq!(
            cleaned.icon,
            "https://mm.example.com/plugins/com.mattermost.apps/apps/app1/static/a/static.icon"
        );
        assert_eq!(problems, [Problem::new(About::Form, "form must define either a submit or a source")]);
        let (cleaned, problems) = clean_form(form("../a/...//static.icon"), "", &app);
        assert_eq!(cleaned.icon, "");
        let start = "invalid icon path in form: invalid icon path: bad path:";
        assert!(problems[0].to_string().starts_with(start), "{problems:?}");
        assert_eq!(clean_form(form("https://x/i.png"), "", &app).0.icon, "https://x/i.png");
    }
}
