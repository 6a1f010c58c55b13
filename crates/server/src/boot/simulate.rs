//! `tessera simulate`: the local OAuth2 provider alone, misbehaving as it is told, for whoever tries an App or a server.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;

use serde_json::{Value, json};
use tessera_simulator::{Behaviour, PASSWORD, Running, Simulator, Switch};
use tessera_types::{AppId, routes};
use tokio::net::TcpListener;
use url::Url;

use super::serve;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The accounts that exist from the start.
const ACCOUNTS: [&str; 2] = ["ada", "grace"];

/// What the provider should be like.
#[derive(Debug, clap::Args)]
pub(super) struct SimulateArgs {
    /// Where to listen: an address of this machine alone; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8066")]
    listen: SocketAddr,
    /// A client's id. May be given several times, each with a secret and a redirect URI of its own. Without any there
    /// is one for the hello-oauth2 example on a site at http://localhost:8065.
    #[arg(long, value_name = "ID")]
    client_id: Vec<String>,
    /// The client's secret.
    #[arg(long, value_name = "SECRET")]
    client_secret: Vec<String>,
    /// Where the client's people are sent back to, to the letter.
    #[arg(long, value_name = "URL")]
    redirect_uri: Vec<String>,
    /// Flip a switch: NAME, NAME=VALUE, or for the next two times NAME*2 or NAME=VALUE*2. May be given several times.
    #[arg(long, value_name = "NAME[=VALUE]")]
    quirk: Vec<String>,
    /// Print every switch, and end.
    #[arg(long)]
    list_quirks: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Client {
    id: String,
    secret: String,
    redirect_uri: String,
}

/// Runs it until it is told to end: status 2 when the command itself is wrong.
pub(super) async fn run(args: SimulateArgs, json: bool) -> Result<ExitCode, Failure> {
    if args.list_quirks {
        list(json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let (behaviour, clients) = match (behaviour(&args), clients(&args)) {
        (Ok(behaviour), Ok(clients)) => (behaviour, clients),
        (Err(why), _) | (_, Err(why)) => {
            writeln!(std::io::stderr(), "tessera: {why}")?;
            return Ok(ExitCode::from(2));
        }
    };
    let mut builder = Simulator::builder().behaviour(|switches| *switches = behaviour);
    for client in &clients {
        builder = builder.client(&client.id, &client.secret, [&client.redirect_uri]);
    }
    let listener = TcpListener::bind(args.listen).await;
    let listener = listener.map_err(|error| format!("listening on {}: {error}", args.listen))?;
    // Before it is said to be ready: whoever reads that may ask it to end.
    let mut stop = serve::signals();
    let simulator = builder.build().start(listener)?;
    let mut out = std::io::stdout();
    match json {
        true => writeln!(out, "{}", as_json(&simulator, &clients))?,
        false => out.write_all(as_text(&simulator, &clients).as_bytes())?,
    }
    out.flush()?;
    let _ = stop.wait_for(|stopped| *stopped).await;
    simulator.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

fn behaviour(args: &SimulateArgs) -> Result<Behaviour, String> {
    let mut behaviour = Behaviour::default();
    for typed in &args.quirk {
        behaviour.set(typed).map_err(|error| format!("--quirk {typed}: {error}"))?;
    }
    Ok(behaviour)
}

fn clients(args: &SimulateArgs) -> Result<Vec<Client>, String> {
    let SimulateArgs { listen, client_id, client_secret, redirect_uri, .. } = args;
    if !listen.ip().is_loopback() {
        return Err(format!(
            "--listen {listen}: everybody knows its passwords, so it listens on loopback only"
        ));
    }
    if client_id.len() != client_secret.len() || client_id.len() != redirect_uri.len() {
        return Err("each client needs all three: --client-id, --client-secret and --redirect-uri".into());
    }
    if client_id.is_empty() {
        let (id, secret) = ("hello-oauth2".to_owned(), "simulator".to_owned());
        let redirect_uri = routes::complete_url("http://localhost:8065", &AppId::unchecked(&id));
        return Ok(vec![Client { id, secret, redirect_uri }]);
    }
    let mut clients = Vec::new();
    for ((id, secret), redirect_uri) in client_id.iter().zip(client_secret).zip(redirect_uri) {
        if !Url::parse(redirect_uri).is_ok_and(|url| url.fragment().is_none()) {
            return Err(format!("--redirect-uri {redirect_uri}: must be an absolute URL without a fragment"));
        }
        let (id, secret, redirect_uri) = (id.clone(), secret.clone(), redirect_uri.clone());
        clients.push(Client { id, secret, redirect_uri });
    }
    Ok(clients)
}

/// What there is to speak to, by name.
fn endpoints(simulator: &Running) -> Vec<(&'static str, String)> {
    let apart = simulator.behaviour().separate_refresh_url;
    let paths = [
        ("authorize", "/authorize"),
        ("token", "/token"),
        ("refresh", if apart { "/token/refresh" } else { "/token" }),
        ("revoke", "/revoke"),
        ("userinfo", "/userinfo"),
        ("calendars", "/calendar/v3/users/me/calendarList"),
        ("metadata", "/.well-known/oauth-authorization-server"),
        ("quirks", "/quirks"),
    ];
    paths.map(|(name, path)| (name, format!("{}{path}", simulator.url()))).into()
}

fn as_json(simulator: &Running, clients: &[Client]) -> Value {
    let clients = clients.iter().map(|client| {
        json!({ "client_id": client.id, "client_secret": client.secret, "redirect_uri": client.redirect_uri })
    });
    json!({
        "issuer": simulator.url(),
        "endpoints": serde_json::Map::from_iter(
            endpoints(simulator).into_iter().map(|(name, url)| (name.to_owned(), url.into())),
        ),
        "accounts": ACCOUNTS,
        "password": PASSWORD,
        "clients": clients.collect::<Vec<_>>(),
        "quirks": simulator.behaviour().in_force(),
    })
}

fn as_text(simulator: &Running, clients: &[Client]) -> String {
    let mut text = format!("A local OAuth2 provider is ready. Its issuer is {}\n\n", simulator.url());
    for (name, url) in endpoints(simulator) {
        text += &format!("  {name:<10} {url}\n");
    }
    text += &format!("\n  accounts   {}, with the password {PASSWORD}\n", ACCOUNTS.join(" and "));
    for client in clients {
        text += &format!(
            "  client     {}, with the secret {}, back to {}\n",
            client.id, client.secret, client.redirect_uri
        );
    }
    let in_force = simulator.behaviour().in_force_as_typed();
    let quirks: Vec<_> = in_force.iter().map(|(name, position)| format!("{name}={position}")).collect();
    let quirks = if quirks.is_empty() { "none in force".to_owned() } else { quirks.join(", ") };
    text += &format!(
        "  switches   {quirks}\n\nFlip switches in a browser at the last address. Ctrl-C ends it.\n"
    );
    text
}

fn list(json: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if json {
        let one = |switch: &Switch| {
            json!({ "number": switch.number, "name": switch.name, "on": switch.on, "values": switch.values,
                "counted": switch.counted, "about": switch.described() })
        };
        let all: Vec<_> = Behaviour::switches().iter().map(one).collect();
        return Ok(writeln!(out, "{}", Value::from(all))?);
    }
    for switch in Behaviour::switches() {
        let number = if switch.number == 0 { String::new() } else { switch.number.to_string() };
        let counted = if switch.counted { "; *N" } else { "" };
        writeln!(out, "{number:>2} {:<22} {}", switch.name, switch.described())?;
        writeln!(out, "   {:<22} {}{counted}; bare: {}", "", switch.values, switch.on)?;
    }
    Ok(writeln!(out, "\nNAME=off turns one off. *N: NAME*2 or NAME=VALUE*2 is for the next two times.")?)
}
