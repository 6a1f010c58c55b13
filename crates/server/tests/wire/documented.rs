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

/// The same of those that are there beside a Mattermost alone.
#[test]
fn every_route_beside_a_mattermost_is_documented() {
    use tessera_server::platform::{ACTIONS, AGREE, AGREED, COMMANDS, DIALOGS, SIGN_IN, SIGNED_IN};
    let docs = read("../../docs/api.md");
    let plugin = tessera_types::routes::PLUGIN_PATH;
    for path in [
        SIGN_IN.to_owned(),
        SIGNED_IN.to_owned(),
        "/api/v4/{*rest}".to_owned(),
        "/oauth/{*rest}".to_owned(),
        "/oauth/authorize".to_owned(),
        format!("{plugin}/apps/{{app}}{AGREE}"),
        format!("{plugin}/apps/{{app}}{AGREED}"),
        format!("{plugin}{COMMANDS}/{{app}}"),
        format!("{plugin}{DIALOGS}/{{app}}"),
        format!("{plugin}{ACTIONS}/{{app}}"),
    ] {
        assert!(docs.contains(&format!("{path}`")), "docs/api.md says nothing of {path}");
    }
    for (source, count) in [
        ("src/http/agreement.rs", 3),
        ("src/http/from_mattermost.rs", 3),
        ("src/http/own_host.rs", 2),
        ("src/http/relay.rs", 3),
    ] {
        let routes = read(source).matches(".route(").count();
        assert_eq!(routes, count, "{source} has a route that is not named here");
    }
}
