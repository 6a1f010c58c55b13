//! What bindings say that no rule of cleaning minds, and no client draws.

use tessera_types::{Binding, Field, Form, Manifest, location};

use super::finding::Findings;
use crate::calls::Outcome;

/// The types of fields (apps-framework.md section 10.1).
pub(super) const FIELDS: [&str; 7] =
    ["text", "static_select", "dynamic_select", "bool", "user", "channel", "markdown"];
const SUBTYPES: [&str; 8] = ["", "input", "textarea", "number", "email", "tel", "url", "password"];

/// Judges what is left after cleaning.
pub(super) fn judge(manifest: &Manifest, outcome: &Outcome, path: &str, findings: &mut Findings) {
    if outcome.bindings.is_empty() && outcome.problems.is_empty() {
        let mend = match manifest.bindings.as_ref().is_some_and(|call| call.expand.is_some()) {
            true => "nothing, if they depend on who asks: nobody did",
            false => "answer them to everybody, or leave \"requested_locations\" out",
        };
        findings.warning(path, "there are no bindings", mend);
    }
    for top in &outcome.bindings {
        if !location::is_top(&top.location) {
            let what = format!("no client draws bindings at {:?}", top.location);
            findings.warning(path, what, "put them below /command, /channel_header or /post_menu");
        }
        forms(&top.location, top, &mut |at, form| fields(at, form, findings));
    }
}

/// Every form of the bindings.
pub(super) fn forms<'a>(at: &str, binding: &'a Binding, found: &mut dyn FnMut(&str, &'a Form)) {
    if let Some(form) = &binding.form {
        found(at, form);
    }
    for child in &binding.bindings {
        forms(&format!("{at}/{}", child.location.trim_start_matches('/')), child, found);
    }
}

fn fields(at: &str, form: &Form, findings: &mut Findings) {
    for Field { name, kind, subtype, .. } in &form.fields {
        let at = format!("{at}, field {name}");
        if !FIELDS.contains(&kind.as_str()) {
            findings.error(
                at,
                format!("no field is of type {kind:?}"),
                format!("write one of {}", FIELDS.join(", ")),
            );
        } else if !SUBTYPES.contains(&subtype.as_str()) {
            let mend = format!("write one of {}", SUBTYPES[1..].join(", "));
            findings.warning(at, format!("no field is of subtype {subtype:?}"), mend);
        }
    }
}
