//! When a manifest is valid (apps-framework.md section 8.2). Every text is the wire's and ends in its kind.

use crate::error::Aggregate;
use crate::path::{clean_static, http_url_problem, quote};
use crate::{AwsLambda, Http, Manifest, OpenFaas, Permission, Plugin};

/// What a rule for manifests is about: each has its own remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named after the member that it is about")]
pub enum Rule {
    DisplayName,
    HomepageUrl,
    Icon,
    AppId,
    Version,
    /// A permission that is asked for without the one that it needs.
    RequestedPermissions,
    /// None of the four ways to run.
    NoDeployment,
    AwsLambda,
    Http,
    OpenFaas,
    Plugin,
}

/// A rule that a manifest breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which.
    pub rule: Rule,
    /// The wire's text, its kind included.
    pub text: String,
}

/// Faults in the order in which they are met.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn push(&mut self, rule: Rule, text: String) {
        self.0.push(Fault { rule, text });
    }

    fn invalid(&mut self, rule: Rule, problem: impl std::fmt::Display) {
        self.push(rule, format!("{problem}: invalid input"));
    }
}

impl Manifest {
    /// Checks all of it, in the wire's order.
    ///
    /// # Errors
    /// Everything that is wrong, not only the first.
    pub fn validate(&self) -> Result<(), Aggregate> {
        let mut problems = Aggregate::default();
        self.faults().into_iter().for_each(|fault| problems.push(fault.text));
        problems.into_result()
    }

    /// Everything that is wrong, in the wire's order, each with the rule that it breaks.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Faults::default();
        if self.display_name.is_empty() {
            faults.invalid(Rule::DisplayName, "display_name is empty");
        }
        if self.homepage_url.is_empty() {
            faults.invalid(Rule::HomepageUrl, "homepage_url is empty");
        }
        if let Some(why) = http_url_problem(&self.homepage_url) {
            let url = quote(&self.homepage_url);
            faults.invalid(Rule::HomepageUrl, format!("homepage_url {url} invalid: {why}"));
        }
        if let Some(bad) =
            Some(&self.icon).filter(|icon| !icon.is_empty()).and_then(|icon| clean_static(icon).err())
        {
            faults.push(Rule::Icon, bad.to_string());
        }
        app_id_problems(&self.app_id).into_iter().for_each(|problem| faults.invalid(Rule::AppId, problem));
        version_problems(&self.version)
            .into_iter()
            .for_each(|problem| faults.invalid(Rule::Version, problem));
        if let Some(problem) = Permission::unmet(&self.requested_permissions) {
            faults.invalid(Rule::RequestedPermissions, problem);
        }
        self.check_deployments(&mut faults);
        faults.0
    }

    fn check_deployments(&self, faults: &mut Faults) {
        let Self { aws_lambda, http, open_faas, plugin, .. } = self;
        if aws_lambda.is_none() && http.is_none() && open_faas.is_none() && plugin.is_none() {
            let text = "manifest has no deployment information (http, aws_lambda, open_faas, etc.)";
            faults.invalid(Rule::NoDeployment, text);
        }
        if let Some(aws_lambda) = aws_lambda {
            aws_lambda.check(faults);
        }
        if let Some(http) = http {
            http.check(faults);
        }
        if let Some(open_faas) = open_faas {
            open_faas.check(faults);
        }
        if let Some(Plugin { plugin_id }) = plugin
            && plugin_id.is_empty()
        {
            faults.invalid(Rule::Plugin, "plugin_id must be set for plugin apps");
        }
    }
}

impl AwsLambda {
    fn check(&self, faults: &mut Faults) {
        if self.functions.is_empty() {
            faults.invalid(Rule::AwsLambda, "must provide at least 1 function in aws_lambda.Functions");
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
                missing.push(format!("aws_lambda {member} must not be empty: invalid input"));
            }
            if let Err(missing) = missing.into_result() {
                // Wrapped, so it stays one line of the outer aggregate with an aggregate inside it.
                let name = quote(&function.name);
                faults.push(Rule::AwsLambda, format!("{name} is not valid: {missing}"));
            }
        }
    }
}

impl Http {
    fn check(&self, faults: &mut Faults) {
        if self.root_url.is_empty() {
            faults.invalid(Rule::Http, "root_url must be set for HTTP apps");
        } else if let Some(why) = http_url_problem(&self.root_url) {
            faults.invalid(Rule::Http, format!("invalid root_url: {}: {why}", quote(&self.root_url)));
        }
    }
}

impl OpenFaas {
    fn check(&self, faults: &mut Faults) {
        if self.functions.is_empty() {
            faults.invalid(Rule::OpenFaas, "must provide at least 1 function");
        }
        // The original stops at the first one, and so does its text.
        let wrong = self.functions.iter().find_map(|function| match (&*function.path, &*function.name) {
            ("", _) => Some((function, "path")),
            (_, "") => Some((function, "name")),
            _ => None,
        });
        if let Some((function, empty)) = wrong {
            let name = quote(&function.name);
            faults.invalid(
                Rule::OpenFaas,
                format!("invalid function {name}: invalid OpenFaaS function: {empty} must not be empty"),
            );
        }
    }
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
