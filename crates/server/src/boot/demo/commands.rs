//! What people can type, and which call each command means: asked from the App, as a chat client asks for bindings.

use serde_json::{Map, Value, json};

use super::api;
use super::report::Failure;

/// The commands of the App: its bindings (apps-framework.md section 10.1).
#[derive(Debug)]
pub(super) struct Commands {
    app_id: String,
    bindings: Value,
}

impl Commands {
    /// Asks the App at `app_url`.
    pub(super) async fn ask(app_url: &str, app_id: &str) -> Result<Self, Failure> {
        let request = json!({ "path": "/bindings", "context": { "app_id": app_id } });
        let answer = api::ask(&format!("{app_url}/bindings"), &request).await?;
        Ok(Self { app_id: app_id.to_owned(), bindings: answer["data"].clone() })
    }

    /// The call request that a command means, with these values filled into its form.
    pub(super) fn call(&self, command: &str, values: Option<Value>) -> Result<Value, Failure> {
        let binding = find(&self.bindings, command).ok_or_else(|| {
            Failure::new(format!("a binding for /{} {command}", self.app_id), &self.bindings)
        })?;
        let submit = match &binding["submit"] {
            Value::Null => &binding["form"]["submit"],
            submit => submit,
        };
        let mut call = Map::new();
        for name in ["path", "expand", "state"] {
            if !submit[name].is_null() {
                call.insert(name.to_owned(), submit[name].clone());
            }
        }
        if !call.contains_key("path") {
            return Err(Failure::new(format!("a call to submit for {command}"), binding));
        }
        call.insert("context".to_owned(), json!({ "app_id": self.app_id }));
        call.extend(values.map(|values| ("values".to_owned(), values)));
        Ok(call.into())
    }
}

/// The binding that is called `command`, at any depth.
fn find<'a>(bindings: &'a Value, command: &str) -> Option<&'a Value> {
    bindings.as_array()?.iter().find_map(|binding| {
        let is_it = ["location", "label"].iter().any(|name| binding[*name] == command);
        let is_one = !binding["submit"].is_null() || !binding["form"].is_null();
        if is_it && is_one { Some(binding) } else { find(&binding["bindings"], command) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_found_below_its_app() {
        let bindings = json!([{ "location": "/command", "bindings": [{ "location": "hello-oauth2", "bindings": [
            { "location": "configure", "form": { "submit": { "path": "/configure", "expand": { "oauth2_app": "all" } } } },
            { "label": "send", "submit": { "path": "/send" } },
        ] }] }]);
        let commands = Commands { app_id: "hello-oauth2".into(), bindings };
        let call = commands.call("configure", Some(json!({ "client_id": "x" }))).unwrap();
        let wanted = json!({ "path": "/configure", "expand": { "oauth2_app": "all" },
            "context": { "app_id": "hello-oauth2" }, "values": { "client_id": "x" } });
        assert_eq!(call, wanted);
        assert_eq!(commands.call("send", None).unwrap()["path"], "/send");
        assert!(commands.call("fly", None).is_err());
    }
}
