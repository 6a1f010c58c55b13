//! What caches may keep (OS-53).

use tessera_testkit::wire::Ask;

use crate::stage::Stage;

#[tokio::test]
async fn os_53_only_what_everybody_may_know_may_be_kept_and_is_stale_at_once() {
    let stage = Stage::set().await;
    for path in ["system/ping", "config/client?format=old", "license/client?format=old"] {
        let answer = stage.site.send(&Ask::get(format!("/api/v4/{path}"))).await;
        let kept = (answer.status, answer.header("expires"), answer.header("cache-control"));
        assert_eq!(kept, (200, Some("0"), None), "{path}");
    }
    for path in
        ["/api/v4/users/me", "/plugins/com.mattermost.apps/api/v1/bindings", "/api/v4/nothing", "/login"]
    {
        let answer = stage.site.send(&Ask::get(path).bearer(&stage.user.token)).await;
        assert_eq!(
            (answer.header("expires"), answer.header("cache-control")),
            (None, Some("no-store")),
            "{path}"
        );
    }
}
