//! `tessera setup mattermost`: from an administrator's token to a service that can be started beside their Mattermost; and back.

mod asked;
mod files;
mod journal;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};
use serde::Serialize;
use tessera_types::AccessToken;
use url::Url;

use super::cli::Failure;
use super::config::{self, Config};
use super::remote::Remote;
use super::{fetch, house};
use crate::egress::Egress;
use crate::env::Env;
use crate::platform::mattermost::Settings;
use crate::platform::mattermost::prepare::{
    ByHand, Done, Plan, Prepare, Setting, USED, Wish, in_environment,
};
use journal::{Entry, Journal};

/// What can be set up.
#[derive(Debug, Subcommand)]
pub(super) enum SetupCommand {
    /// Prepare a Mattermost and the service for each other: settings, an account of the service's own, a settings file. Says what
    /// it is going to do, and asks. Can be run again, and undone.
    Mattermost(SetupArgs),
}

/// Which Mattermost, and how.
#[derive(Debug, Args)]
pub(super) struct SetupArgs {
    /// What people open: Mattermost's `SiteURL`. Asked for at a terminal.
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Where the service finds Mattermost, if that is elsewhere.
    #[arg(long, value_name = "URL")]
    internal_url: Option<String>,
    /// A file with an administrator's token; else `TESSERA_MATTERMOST__TOKEN` has it, or it is asked for at a terminal.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Where the settings file, the service's token and the root key go, and what is needed to undo it all.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// The name of the service's account at Mattermost.
    #[arg(long, value_name = "NAME", default_value = "tessera")]
    account: String,
    /// Have Mattermost's clients draw Apps themselves, where they can (10.1 to 11).
    #[arg(long)]
    native: bool,
    /// Install the App whose manifest is there, such as hello-oauth2, once the service runs.
    #[arg(long, value_name = "URL")]
    install: Option<String>,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Take back what an earlier run made, as far as nobody changed it since.
    #[arg(long)]
    undo: bool,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

/// What was done, for people and programs.
#[derive(Default, Serialize)]
struct Report {
    version: String,
    administrator: String,
    permissions_used: Vec<&'static str>,
    done: Vec<String>,
    by_hand: Vec<ByHand>,
    next: Vec<String>,
}

/// Where the service listens unless somebody changes it.
const LISTEN: &str = "127.0.0.1:8066";

/// Sets up, or takes back.
pub(super) async fn run(args: SetupArgs, json: bool) -> Result<ExitCode, Failure> {
    let mut journal = Journal::open(&args.dir)?;
    let url = asked::url(args.url.as_deref(), journal.url())?;
    let token = asked::token(args.token_file.as_deref())?;
    let settings = settings(&args, &url, token.clone())?;
    let config = Config {
        mattermost: config::Mattermost {
            url: url.clone(),
            internal_url: settings.internal_url.to_string(),
            ..config::Mattermost::default()
        },
        ..Config::default()
    };
    let egress = Arc::new(Egress::new(house::rules(&config)?)?);
    let prepare = Prepare::new(egress, Env::system(), settings.clone());
    if args.undo {
        return undo(&args, &prepare, journal, &settings.own_url, token, json).await;
    }
    let former = journal.former().to_vec();
    let wish = Wish { native: args.native, account: args.account.clone(), former };
    let plan = prepare.plan(&wish).await?;
    let intended = intended(&args, &plan, &journal);
    if args.dry_run || !asked::agreed(args.yes, &plan, &intended, json)? {
        let report = Report { next: intended, by_hand: plan.by_hand.clone(), ..Report::of(&plan) };
        return report.print(json, "would");
    }
    journal.begin(&url)?;
    let mut report = Report { by_hand: plan.by_hand.clone(), ..Report::of(&plan) };
    change(&prepare, &plan, &mut journal, &mut report).await?;
    account(&args, &prepare, &wish, &mut journal, &mut report).await?;
    report.done.extend(files::write(&args.dir, &url, &settings, &Env::system())?);
    if let Some(manifest) = &args.install {
        install(manifest, &settings.own_url, token, &mut journal, &mut report).await?;
    }
    let file = args.dir.join(files::SETTINGS).display().to_string();
    if report.done.is_empty() {
        report.next.push("everything is as it should be already, and nothing was changed".to_owned());
    }
    if std::env::var_os(asked::TOKEN).is_some() {
        report.next.push(format!(
            "unset {}: the settings file names the service's own token, and two are one too many",
            asked::TOKEN
        ));
    }
    report.next.extend([
        format!("have the site's proxy lead /plugins/com.mattermost.apps/ to {LISTEN} (packaging/proxy)"),
        format!("tessera serve --config {file}"),
        format!("tessera doctor --config {file}"),
        "the administrator's token is not kept: revoke it if it was made for this".to_owned(),
    ]);
    report.print(json, "done")
}

/// Settings first: without them there is no token; then the permission.
async fn change(
    prepare: &Prepare,
    plan: &Plan,
    journal: &mut Journal,
    report: &mut Report,
) -> Result<(), Failure> {
    if !plan.settings.is_empty() {
        // Written down before it is done: what was is not to be had afterwards.
        journal.add(Entry::Mattermost(Done::Settings { settings: plan.settings.clone() }))?;
    }
    let (changed, unchanged) = prepare.change(&plan.settings).await?;
    report.done.extend(changed.iter().map(|one| format!("set {}", shown(one))));
    if !unchanged.is_empty() {
        let some = !changed.is_empty();
        journal.amend(some.then_some(Entry::Mattermost(Done::Settings { settings: changed })))?;
    }
    // What has its old value still is set somewhere else.
    report.by_hand.extend(
        unchanged
            .iter()
            .map(|one| ByHand { about: one.key.clone(), how: in_environment(&one.key, &one.after) }),
    );
    if let Some((role, permission)) = &plan.permission {
        match prepare.permit(role, permission, true).await {
            Ok(true) => {
                let (role, permission) = (role.clone(), permission.clone());
                report.done.push(format!("gave {role} the permission {permission}"));
                journal.add(Entry::Mattermost(Done::Permission { role, permission }))?;
            }
            Ok(false) => {}
            Err(error) => report.by_hand.push(ByHand {
                about: permission.clone(),
                how: format!("`mmctl permissions add {role} {permission}` ({error})"),
            }),
        }
    }
    Ok(())
}

/// The service's account, and a token of it unless an earlier run left one.
async fn account(
    args: &SetupArgs,
    prepare: &Prepare,
    wish: &Wish,
    journal: &mut Journal,
    report: &mut Report,
) -> Result<(), Failure> {
    let path = args.dir.join(files::TOKEN);
    if journal.has_token() && path.exists() {
        return Ok(());
    }
    let (id, made) = prepare.account(wish).await?;
    if let Some(made) = made {
        report.done.push(format!(
            "made the account @{}, a system administrator that nobody can sign in as by password",
            args.account
        ));
        journal.add(Entry::Mattermost(made))?;
    }
    let made = prepare.token(&id).await?;
    journal.add(Entry::Mattermost(made.done))?;
    files::write_secret(&path, made.token.expose())?;
    let life = match made.ends_at {
        None => "does not end by itself".to_owned(),
        Some(at) => format!(
            "ends on {}: ServiceSettings.MaximumPersonalAccessTokenLifetimeDays; run this again before",
            httpdate::fmt_http_date(
                std::time::UNIX_EPOCH + std::time::Duration::from_millis(at.unsigned_abs())
            )
        ),
    };
    report.done.push(format!("made a token of @{}, which {life}: {}", args.account, path.display()));
    Ok(())
}

/// Lists and installs an App at the running service.
async fn install(
    manifest: &str,
    own_url: &Url,
    token: AccessToken,
    journal: &mut Journal,
    report: &mut Report,
) -> Result<(), Failure> {
    let address = fetch::manifest_address(manifest)?;
    let bytes = fetch::manifest(&fetch::egress_for(&address)?, &address).await;
    let bytes = bytes.map_err(|why| format!("{address}: {why}"))?;
    let read: tessera_types::Manifest = tessera_types::json::from_slice_strict(&bytes)?;
    let remote = Remote::new(own_url.clone(), token)?;
    let installed = async {
        remote.add(&bytes).await?;
        remote.switch(read.app_id.as_str(), "install").await
    };
    match installed.await {
        Ok(words) => {
            journal.add(Entry::App { id: read.app_id.to_string() })?;
            report.done.push(words);
        }
        Err(error) => report.by_hand.push(ByHand {
            about: format!("App {}", read.app_id),
            how: format!("it is not installed yet ({error}): start the service, then run this again"),
        }),
    }
    Ok(())
}

/// Takes back what is written down, the last thing first.
async fn undo(
    args: &SetupArgs,
    prepare: &Prepare,
    mut journal: Journal,
    own_url: &Url,
    token: AccessToken,
    json: bool,
) -> Result<ExitCode, Failure> {
    if journal.is_empty() {
        let file = args.dir.join(journal::NAME);
        return Err(format!("there is nothing to undo: {} is missing", file.display()).into());
    }
    let mut report = Report::default();
    let intended =
        journal.entries().map(|entry| format!("take back: {}", described(entry))).collect::<Vec<_>>();
    let none = Plan::none();
    if args.dry_run || !asked::agreed(args.yes, &none, &intended, json)? {
        report.next = intended;
        return report.print(json, "would");
    }
    while let Some(entry) = journal.last().cloned() {
        let left = match &entry {
            Entry::App { id } => {
                let gone = Remote::new(own_url.clone(), token.clone())?.switch(id, "uninstall").await;
                gone.err().map(|error| format!("{id} is not uninstalled ({error})"))
            }
            Entry::Mattermost(done) => prepare.undo(done).await?,
        };
        if let Entry::Mattermost(Done::Account { id, .. }) = &entry {
            journal.remember(id);
        }
        report.done.push(format!("took back: {}", described(&entry)));
        report.next.extend(left);
        journal.drop_last()?;
    }
    files::remove_secret(&args.dir.join(files::TOKEN))?;
    let kept = [files::SETTINGS, files::ROOT_KEY, files::DATA];
    let kept: Vec<&str> = kept.into_iter().filter(|name| args.dir.join(name).exists()).collect();
    if !kept.is_empty() {
        report.next.push(format!("kept in {}: {}", args.dir.display(), kept.join(", ")));
    }
    report.print(json, "done")
}

fn settings(args: &SetupArgs, url: &str, token: AccessToken) -> Result<Settings, Failure> {
    let site_url = config::site_url("--url", url)?;
    let internal_url = match &args.internal_url {
        Some(text) => config::site_url("--internal-url", text)?,
        None => site_url.clone(),
    };
    let danger_admin_tokens = false;
    Ok(Settings { own_url: site_url.clone(), site_url, internal_url, token, danger_admin_tokens })
}

/// What is going to be done, in order.
fn intended(args: &SetupArgs, plan: &Plan, journal: &Journal) -> Vec<String> {
    let mut intended: Vec<String> = plan.settings.iter().map(|one| format!("set {}", shown(one))).collect();
    intended.extend(
        plan.permission.iter().map(|(role, permission)| format!("give {role} the permission {permission}")),
    );
    if !(journal.has_token() && args.dir.join(files::TOKEN).exists()) {
        intended.push(format!("make the account @{} unless it is there, and a token of it", args.account));
    }
    let files = [files::SETTINGS, files::ROOT_KEY].map(|name| args.dir.join(name));
    intended
        .extend(files.iter().filter(|path| !path.exists()).map(|path| format!("write {}", path.display())));
    intended.extend(args.install.iter().map(|manifest| format!("install the App at {manifest}")));
    intended
}

fn shown(setting: &Setting) -> String {
    format!("{} = {} (it was {})", setting.key, setting.after, setting.before)
}

fn described(entry: &Entry) -> String {
    match entry {
        Entry::App { id } => format!("App {id}"),
        Entry::Mattermost(Done::Settings { settings }) => {
            let keys: Vec<&str> = settings.iter().map(|one| one.key.as_str()).collect();
            keys.join(", ")
        }
        Entry::Mattermost(Done::Permission { role, permission }) => {
            format!("the permission {permission} of {role}")
        }
        Entry::Mattermost(Done::Account { name, .. }) => format!("the account @{name}"),
        Entry::Mattermost(Done::Token { .. }) => "the service's token".to_owned(),
    }
}

impl Report {
    fn of(plan: &Plan) -> Self {
        Self {
            version: plan.version.clone(),
            administrator: plan.administrator.clone(),
            permissions_used: USED.into(),
            ..Self::default()
        }
    }

    fn print(&self, json: bool, word: &str) -> Result<ExitCode, Failure> {
        let mut out = std::io::stdout().lock();
        if json {
            writeln!(out, "{}", serde_json::to_string(self)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        if !self.version.is_empty() {
            writeln!(
                out,
                "Mattermost {}, as @{}, by the permissions {}",
                self.version,
                self.administrator,
                self.permissions_used.join(", ")
            )?;
        }
        for line in &self.done {
            writeln!(out, "done   {line}")?;
        }
        for ByHand { about, how } in &self.by_hand {
            writeln!(out, "you    {about}: {how}")?;
        }
        let next = if word == "would" { "would  " } else { "next   " };
        for line in &self.next {
            writeln!(out, "{next}{line}")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
