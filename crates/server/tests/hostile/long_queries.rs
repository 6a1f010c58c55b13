//! Callbacks with queries of 100 kB cost the server no memory (OS-14).

use tempfile::TempDir;
use tessera_testkit::child::Child;
use tessera_testkit::site::{Site, flow};
use tessera_testkit::wire::{Ask, try_send};

use crate::TESSERA;

const ROUNDS: usize = 40;
const AT_ONCE: usize = 25;
/// The most that the peak may grow by, in kB, while up to 100 MB of queries arrive.
const GROWTH_KB: u64 = 24 << 10;

/// The memory of the process in kB, as the kernel names it: `VmRSS` now, `VmHWM` the most since [`forget_peak`].
fn memory(child: &Child, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// From now on the peak is counted anew: starting a server, which hashes passwords, takes more than all of this.
fn forget_peak(child: &Child) {
    std::fs::write(format!("/proc/{}/clear_refs", child.id()), "5").unwrap();
}

async fn flood(site: Site, ask: &Ask, rounds: usize) {
    for _ in 0..rounds {
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let ask = ask.clone();
            asking.spawn(async move { try_send(site.address, &ask).await });
        }
        for answer in asking.join_all().await {
            // Whoever is refused while still sending may see nothing but the end of the connection.
            let status = answer.map_or(414, |answer| answer.status);
            assert!(matches!(status, 400 | 414 | 431), "{status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_14_queries_of_100_kb_need_constant_memory() {
    let dir = TempDir::new().unwrap();
    let child = Child::start(TESSERA, dir.path());
    let user = child.site.sign_in("user-1").await;
    for size in [100_000, 60_000, 9_000] {
        let target = format!("{}?code=c&state={}&a={}", flow("hello", "complete"), user.id, "x".repeat(size));
        let signed = Ask::get(target.as_str()).bearer(&user.token);
        let anonymous = Ask::get(target).with("Accept", "text/html");
        for ask in [signed, anonymous] {
            flood(child.site, &ask, 4).await;
            forget_peak(&child);
            let before = memory(&child, "VmRSS");
            flood(child.site, &ask, ROUNDS).await;
            let grown = memory(&child, "VmHWM").saturating_sub(before);
            assert!(grown <= GROWTH_KB, "{size}: {grown} kB on top of {before} kB");
        }
    }
    child.site.sign_in("user-2").await;
}
