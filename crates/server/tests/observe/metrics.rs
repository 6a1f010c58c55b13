//! The metrics: what `docs/operations.md` says of them, and what none of them may say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::json;
use tessera_testkit::fake_app::Answer as AppAnswer;
use tessera_testkit::site::{OAUTH2_USER, Site};
use tessera_testkit::wire::Ask;

use crate::stage::{APP, Stage, begin, complete};

async fn scrape(site: Site) -> String {
    let answer = site.send(&Ask::get("/metrics")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    answer.text()
}

/// Does a little of everything that is counted.
async fn walk(stage: &Stage) -> (String, String) {
    let site = stage.site;
    let state = begin(site, &stage.user).await;
    assert_eq!(complete(site, &stage.user, &format!("code=c&state={state}")).await.status, 200);
    assert_eq!(complete(site, &stage.user, &format!("code=c&state={state}")).await.status, 403);
    let state = begin(site, &stage.user).await;
    assert_eq!(complete(site, &stage.user, &format!("error=access_denied&state={state}")).await.status, 200);
    let (token, bot) = site.tokens(&stage.user, &stage.fake, APP).await;
    site.store(&token, "{\"access_token\":\"planted-token\"}").await;
    for _ in 0..3 {
        site.record(&token).await;
    }
    site.store_credentials(&bot, "id", "planted-secret").await;
    assert_eq!(site.send(&Ask::new("DELETE", OAUTH2_USER).bearer(&token)).await.status, 200);
    stage.fake.answer("/gone", AppAnswer::Close);
    site.post(&stage.user.token, "/call", &json!({"path": "/gone", "context": {"app_id": APP}})).await;
    site.send(&Ask::new("PLANTED", "/planted-path?planted=1")).await;
    (token, bot)
}

/// The value of a sample, by its name and labels.
fn sample(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
}

#[tokio::test]
async fn what_happened_is_counted_once_and_by_its_kind() {
    let stage = Stage::set().await;
    walk(&stage).await;
    let text = scrape(stage.site).await;
    let get = format!("route=\"{OAUTH2_USER}\",method=\"GET\"");
    for (name, expected) in [
        (format!("tessera_http_requests_total{{{get},status=\"2xx\"}}"), 3.0),
        (format!("tessera_http_request_seconds_count{{{get}}}"), 3.0),
        ("tessera_http_requests_total{route=\"none\",method=\"other\",status=\"4xx\"}".to_owned(), 1.0),
        ("tessera_flows_total{step=\"begun\",reason=\"\"}".to_owned(), 2.0),
        ("tessera_flows_total{step=\"completed\",reason=\"\"}".to_owned(), 1.0),
        ("tessera_flows_total{step=\"declined\",reason=\"\"}".to_owned(), 1.0),
        ("tessera_records_total{record=\"connection\",act=\"released\"}".to_owned(), 3.0),
        ("tessera_records_total{record=\"connection\",act=\"stored\"}".to_owned(), 1.0),
        ("tessera_records_total{record=\"connection\",act=\"removed\"}".to_owned(), 1.0),
        ("tessera_records_total{record=\"credentials\",act=\"stored\"}".to_owned(), 1.0),
        (format!("tessera_app_requests_total{{app=\"{APP}\",kind=\"complete\",outcome=\"ok\"}}"), 2.0),
        (format!("tessera_app_requests_total{{app=\"{APP}\",kind=\"call\",outcome=\"unreachable\"}}"), 1.0),
        ("tessera_egress_failures_total{reason=\"closed\"}".to_owned(), 1.0),
        ("tessera_sealed_open_failures_total".to_owned(), 0.0),
        ("tessera_websocket_sessions".to_owned(), 0.0),
        ("tessera_completions_in_flight".to_owned(), 0.0),
    ] {
        assert_eq!(sample(&text, &name), expected, "{name}\n{text}");
    }
    let refused = "tessera_flows_total{step=\"refused\",reason=\"state-mismatch\"}";
    assert_eq!(sample(&text, refused), 1.0);
    let entries = stage.server.audit().len() as f64;
    assert_eq!(sample(&text, "tessera_audit_append_seconds_count"), entries);
    assert!(sample(&text, "tessera_sealed_opens_total") >= 3.0);
    assert!(sample(&text, "tessera_store_seconds_count{database=\"data\",operation=\"write\"}") > 0.0);
    assert!(sample(&text, "tessera_store_commit_writes_count") > 0.0);
}

/// Every name with its kind, as the server describes it.
fn described(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    lines
        .map(|(name, kind)| {
            let end = match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            (format!("{name}{end}"), kind.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn the_page_for_administrators_lists_every_metric_and_no_other() {
    let stage = Stage::set().await;
    walk(&stage).await;
    let described = described(&scrape(stage.site).await);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `tessera_") || line.starts_with("| `process_"));
    let listed: BTreeMap<String, String> = rows
        .map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (cells[1].trim_matches('`').to_owned(), cells[2].to_owned())
        })
        .collect();
    assert_eq!(listed, described, "docs/operations.md (left) and /metrics (right) differ");
}

#[tokio::test]
async fn os_51_no_label_names_a_person_or_holds_what_a_stranger_sent() {
    let stage = Stage::set().await;
    let (token, bot) = walk(&stage).await;
    let text = scrape(stage.site).await;
    let context = stage.fake.calls_to("/context").pop().unwrap().json()["context"].clone();
    let bot_id = context["bot_user_id"].as_str().unwrap();
    for (what, secret) in [
        ("a person", stage.user.id.as_str()),
        ("an administrator", &stage.admin.id),
        ("a bot", bot_id),
        ("a session", &stage.user.token),
        ("an App's token", &token),
        ("a bot's token", &bot),
        ("a name", "user-1"),
        ("a stranger's word", "planted"),
        ("a stranger's method", "PLANTED"),
    ] {
        assert!(!text.contains(secret), "{what} is in the metrics:\n{text}");
    }
    let known = [
        "route",
        "method",
        "status",
        "le",
        "app",
        "kind",
        "outcome",
        "step",
        "reason",
        "record",
        "act",
        "database",
        "operation",
        "version",
    ];
    let mut found = BTreeSet::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((_, rest)) = line.split_once('{') else { continue };
        let mut labels = rest.rsplit_once('}').unwrap().0;
        while let Some((name, rest)) = labels.trim_start_matches(',').split_once("=\"") {
            found.insert(name.to_owned());
            labels = rest.split_once('"').unwrap().1;
        }
    }
    assert_eq!(found, known.map(str::to_owned).into(), "a label that nobody judged");
}
