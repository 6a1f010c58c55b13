//! Every route stands in docs/api.md.

use crate::router::{read, routes};

/// The documentation writes an address as the router does.
#[test]
fn every_route_is_documented() {
    let docs = read("../../docs/api.md");
    let mut missing = Vec::new();
    for route in routes() {
        let whole = format!("`{}`", route.path);
        if !docs.contains(&whole) {
            missing.push(whole);
        }
    }
    assert!(missing.is_empty(), "docs/api.md says nothing of {missing:#?}");
}
