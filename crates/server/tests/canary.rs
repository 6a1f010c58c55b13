//! Planted secrets, the whole flow against the real binary at its most talkative, then a search of everything that
//! it printed, answered and wrote (OS-39, OS-51).

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml allows these in tests, and does not see that the helpers in here are"
)]

#[path = "canary/browser.rs"]
mod browser;
#[path = "canary/scan.rs"]
mod scan;
#[path = "canary/walk.rs"]
mod walk;

use scan::Scan;
use walk::Walk;

/// The binary under test.
const TESSERA: &str = env!("CARGO_BIN_EXE_tessera");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_51_os_39_no_planted_secret_is_in_a_log_a_page_an_error_a_metric_or_a_file() {
    let walk = Walk::whole().await;
    let (scan, companions) = (Scan::of(&walk.secrets), Scan::of(&walk.companions));
    assert!(!walk.companions.is_empty());
    assert!(walk.secrets.len() >= 30, "{} secrets", walk.secrets.len());
    let mut found = Vec::new();
    for (place, bytes) in &walk.places {
        let mut hits = scan.search(bytes);
        if !place.starts_with("file") {
            hits.extend(companions.search(bytes));
        }
        found.extend(hits.into_iter().map(|what| format!("{what} in {place}")));
    }
    assert!(found.is_empty(), "{} hits:\n{}", found.len(), found.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_51_the_same_search_finds_what_is_meant_to_be_seen() {
    let walk = Walk::whole().await;
    let visible: Vec<_> = walk.visible.iter().map(|(name, text, _)| (name.clone(), text.clone())).collect();
    let scan = Scan::of(&visible);
    for (name, _, kind) in &walk.visible {
        let places = walk.places.iter().filter(|(place, _)| place.starts_with(kind));
        let hits: usize = places.map(|(_, bytes)| scan.hits(bytes, name)).sum();
        assert!(hits > 0, "{name} is nowhere in any {kind}");
    }
}

#[test]
fn os_51_the_search_finds_a_secret_in_every_form_and_at_every_alignment() {
    let secret = "a/b+c=d&\"e\\f<g>-0123456789";
    let scan = Scan::of(&[("planted".to_owned(), secret.to_owned())]);
    for (form, written) in scan::written(secret) {
        let hits = scan.search(format!("before {written} after").as_bytes());
        assert!(!hits.is_empty(), "{form}: {written}");
    }
    for around in ["", "x", "xy", "xyz"] {
        for written in scan::base64_of(format!("{around}{secret}{around}").as_bytes()) {
            assert!(!scan.search(written.as_bytes()).is_empty(), "{around}: {written}");
        }
    }
    assert!(scan.search(&secret.as_bytes()[..secret.len() - 1]).is_empty(), "it finds what is not there");
}
