//! When a manifest is valid (apps-framework.md section 8.2). Every text is the wire's and ends in its kind.

use crate::error::Aggregate;
use crate::path::{clean_static, http_url_problem, quote};
use crate::{AwsLambda, Http, Manifest, OpenFaas, Permission, Plugin};

impl Manifest {
    /// Checks all of it, in the wire's order.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first.
    pub fn validate(&self) -> Result<(), Aggregate> {
        let mut problems = Aggregate::default();
        if self.display_name.is_empty() {
            invalid(&mut problems, "display_name is empty");
        }
        if self.homepage_url.is_empty() {
            invalid(&mut problems, "homepage_url is empty");
        }
        if let Some(why) = http_url_problem(&self.homepage_url) {
            invalid(&mut problems, format!("homepage_url {} invalid: {why}", quote(&self.homepage_url)));
        }
        if let Some(bad) =
            Some(&self.icon).filter(|icon| !icon.is_empty()).and_then(|icon| clean_static(icon).err())
        {
            problems.push(bad.to_string());
        }
        for problem in app_id_problems(&self.app_id).into_iter().chain(version_problems(&self.version)) {
            invalid(&mut problems, problem);
        }
        Permission::check_dependencies(&self.requested_permissions, &mut problems);
        self.check_deployments(&mut problems);
        problems.into_result()
    }

    fn check_deployments(&self, problems: &mut Aggregate) {
        let Self { aws_lambda, http, open_faas, plugin, .. } = self;
        if aws_lambda.is_none() && http.is_none() && open_faas.is_none() && plugin.is_none() {
            invalid(problems, "manifest has no deployment information (http, aws_lambda, open_faas, etc.)");
        }
        if let Some(aws_lambda) = aws_lambda {
            aws_lambda.check(problems);
        }
        if let Some(http) = http {
            http.check(problems);
        }
        if let Some(open_faas) = open_faas {
            open_faas.check(problems);
        }
        if let Some(Plugin { plugin_id }) = plugin
            && plugin_id.is_empty()
        {
            invalid(problems, "plugin_id must be set for plugin apps");
        }
    }
}

impl AwsLambda {
    fn check(&self, problems: &mut Aggregate) {
        if self.functions.is_empty() {
            invalid(problems, "must provide at least 1 function in aws_lambda.Functions");
        }
        for function in &self.functions {
            let members = [
                ("path", &function.path),
                ("name", &function.name),
                ("handler", &function.handler),
                ("runtime", &function.runtime),
            ];
            let mut missing = Aggregate::default();
            for (member, _) in members.into_iter().filter(|(_, value)| value.is_empty()) {
                invalid(&mut missing, format!("aws_lambda {member} must not be empty"));
            }
            if let Err(missing) = missing.into_result() {
                // Wrapped, so it stays one line of the outer aggregate with an aggregate inside it.
                problems.push(format!("{} is not valid: {missing}", quote(&function.name)));
            }
        }
    }
}

impl Http {
    fn check(&self, problems: &mut Aggregate) {
        if self.root_url.is_empty() {
            invalid(problems, "root_url must be set for HTTP apps");
        } else if let Some(why) = http_url_problem(&self.root_url) {
            invalid(problems, format!("invalid root_url: {}: {why}", quote(&self.root_url)));
        }
    }
}

impl OpenFaas {
    fn check(&self, problems: &mut Aggregate) {
        if self.functions.is_empty() {
            invalid(problems, "must provide at least 1 function");
        }
        // The original stops at the first one, and so does its text.
        let wrong = self.functions.iter().find_map(|function| match (&*function.path, &*function.name) {
            ("", _) => Some((function, "path")),
            (_, "") => Some((function, "name")),
            _ => None,
        });
        if let Some((function, empty)) = wrong {
            let name = quote(&function.name);
            invalid(
                problems,
                format!("invalid function {name}: invalid OpenFaaS function: {empty} must not be empty"),
            );
        }
    }
}

fn invalid(problems: &mut Aggregate, problem: impl std::fmt::Display) {
    problems.push(format!("{problem}: invalid input"));
}

/// What is wrong with an App id, in the wire's words. The length is in bytes, the rest in characters.
pub(crate) fn app_id_problems(id: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if id.len() < 3 {
        problems.push(format!("appID {id} too short, should be 3 bytes"));
    }
    if id.len() > 32 {
        problems.push(format!("appID {id} too long, should be 32 bytes"));
    }
    for character in id.chars().filter(|character| !is_id_character(*character)) {
        problems.push(format!("invalid character '{character}' in appID {}", quote(id)));
    }
    problems
}

fn version_problems(version: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if version.len() > 10 {
        problems.push(format!("version {version} too long, should be in v00_00_000 format"));
    }
    for character in version.chars().filter(|character| !is_id_character(*character)) {
        problems.push(format!("invalid character '{character}' in appVersion"));
    }
    problems
}

fn is_id_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '_' | '.')
}
