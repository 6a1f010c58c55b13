//! Requests that no browser and no driver sends.

use serde_json::json;
use tessera_testkit::site::{API, OAUTH2_APP, OAUTH2_USER, PLUGIN, empty, flow};
use tessera_testkit::wire::Ask;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::apps::Scene;
use crate::form;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn os_56_headers_of_a_proxy_make_nobody_somebody() {
    let scene = Scene::set().await;
    let site = scene.site();
    let forged = |ask: Ask| {
        ["Mattermost-User-Id", "Mattermost-User-ID", "X-Forwarded-User", "Remote-User"]
            .into_iter()
            .fold(ask, |ask, name| ask.with(name, scene.admin.id.as_str()))
            .with("Mattermost-Plugin-Id", "com.mattermost.apps")
            .with("Mattermost-Plugin-ID", "com.mattermost.apps")
            .with("Mattermost-Session-Id", scene.admin.id.as_str())
            .with("X-Forwarded-For", "127.0.0.1")
            .with("Forwarded", "for=127.0.0.1;host=evil.example;proto=https")
    };
    let which = json!({"app_id": "hello"}).to_string();
    let disable = || Ask::post(format!("{API}/disable-app"), which.as_str());
    for ask in
        [Ask::get(OAUTH2_USER), disable(), Ask::get("/api/v4/users/me"), Ask::get(flow("hello", "connect"))]
    {
        let answer = site.send(&forged(ask.clone())).await;
        assert_eq!(answer.status, 401, "{} {}: {}", ask.method, ask.target, answer.text());
        form::check(&answer, &ask.target);
    }
    let answer = site.send(&forged(disable()).bearer(&scene.user.token)).await;
    assert_eq!(answer.status, 401, "{}", answer.text());
    let answer = site.send(&forged(Ask::get("/api/v4/users/me")).bearer(&scene.user.token)).await;
    assert_eq!(answer.json()["id"], scene.user.id);
    // Neither does a cookie without proof, on a request that changes something.
    let cookie = format!("MMAUTHTOKEN={}", scene.admin.token);
    let answer = site.send(&forged(disable()).with("Cookie", cookie)).await;
    assert_eq!(answer.status, 401, "{}", answer.text());
    scene.stands("forged headers").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_host_or_origin_is_refused_and_never_repeated_to_others() {
    let scene = Scene::set().await;
    let site = scene.site();
    let port = site.address.port();
    let (token, _) = site.tokens(&scene.user, &scene.fake, "hello").await;
    let get = || Ask::get(OAUTH2_USER).bearer(&token);
    let hosts = [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:80@localhost",
        "localhost:80:80",
        "localhost@evil.example",
        "[::2]",
        "127.0.0.2",
        "localhost evil.example",
        "*",
    ];
    for host in hosts {
        let answer = site.send(&get().with("Host", host)).await;
        assert!(matches!(answer.status, 400 | 403), "{host:?}: {answer:?}");
    }
    for host in
        [format!("localhost:{port}"), "127.0.0.1:9".to_owned(), "[::1]".to_owned(), "localhost".to_owned()]
    {
        let answer = site.send(&get().with("Host", host.as_str())).await;
        assert_eq!(answer.status, 200, "{host}: {}", answer.text());
    }
    for origin in [
        "null",
        "",
        "https://evil.example",
        "http://evil.example",
        "file://",
        "http://localhost.evil.example",
        "http://localhost:1",
        "x",
        "http://[::1",
    ] {
        for ask in
            [get(), Ask::post(OAUTH2_USER, "{}").bearer(&token), Ask::post("/api/v4/users/login", "{}")]
        {
            let answer = site.send(&ask.clone().with("Origin", origin)).await;
            assert_eq!(answer.status, 403, "{origin:?} {}: {answer:?}", ask.method);
            form::check(&answer, origin);
        }
    }
    for origin in [format!("http://localhost:{port}"), format!("http://127.0.0.1:{port}")] {
        assert_eq!(site.send(&get().with("Origin", origin.as_str())).await.status, 200, "{origin}");
    }
    // What proxies say about the host changes no address that we give out.
    let call = json!({"path": "/forwarded", "context": {"app_id": "hello"}, "expand": {"oauth2_app": "all"}});
    let ask = Ask::post(format!("{API}/call"), call.to_string()).bearer(&scene.user.token);
    let ask = ask.with("X-Forwarded-Host", "evil.example").with("X-Forwarded-Proto", "https");
    let answer =
        site.send(&ask.with("X-Original-URL", "/evil.example").with("Forwarded", "host=evil.example")).await;
    assert_eq!(answer.json()["type"], "ok", "{}", answer.text());
    let heard = scene.fake.calls_to("/forwarded").pop().unwrap();
    assert!(!heard.text().contains("evil.example"), "{}", heard.text());
    assert_eq!(heard.json()["context"]["mattermost_site_url"], format!("http://localhost:{port}"));
    scene.stands("foreign hosts").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn methods_that_a_path_does_not_have_get_405_and_nothing_else() {
    let scene = Scene::set().await;
    let site = scene.site();
    let api = |route: &str| format!("{API}{route}");
    let rows: [(String, &[&'static str]); 15] = [
        (OAUTH2_APP.to_owned(), &["GET", "HEAD", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"]),
        (OAUTH2_USER.to_owned(), &["HEAD", "PATCH", "OPTIONS", "TRACE", "BREW"]),
        (api("/call"), &["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]),
        (api("/update-app-listing"), &["GET", "HEAD", "PUT", "DELETE"]),
        (api("/install-app"), &["GET", "HEAD", "PUT", "DELETE"]),
        (api("/uninstall-app"), &["GET", "HEAD", "PUT", "DELETE"]),
        (api("/enable-app"), &["GET", "HEAD", "PUT", "DELETE"]),
        (api("/disable-app"), &["GET", "HEAD", "PUT", "DELETE"]),
        (api("/apps/hello"), &["HEAD", "POST", "PUT", "DELETE", "OPTIONS"]),
        (flow("hello", "connect"), &["HEAD", "PUT", "DELETE", "OPTIONS"]),
        (flow("hello", "complete"), &["HEAD", "POST", "PUT", "DELETE", "OPTIONS"]),
        (format!("{PLUGIN}/tessera/v1/connections"), &["HEAD", "POST", "DELETE", "OPTIONS"]),
        (format!("{PLUGIN}/tessera/v1/connections/hello"), &["GET", "HEAD", "POST", "PUT", "OPTIONS"]),
        (format!("{PLUGIN}/tessera/v1/accounts"), &["HEAD", "PUT", "DELETE", "OPTIONS"]),
        (format!("{PLUGIN}/tessera/v1/apps"), &["HEAD", "POST", "DELETE", "OPTIONS"]),
    ];
    for (target, methods) in rows {
        for method in methods {
            let ask = Ask::new(method, target.as_str()).bearer(&scene.admin.token);
            let ask = if matches!(*method, "POST" | "PUT" | "PATCH") { ask.body(empty()) } else { ask };
            let answer = site.send(&ask).await;
            assert_eq!((answer.status, answer.body.as_slice()), (405, b"".as_slice()), "{method} {target}");
            assert_eq!(answer.header("allow"), None, "{method} {target}");
        }
    }
    scene.stands("other methods").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_that_are_nearly_right_are_wrong() {
    let scene = Scene::set().await;
    let site = scene.site();
    let (token, _) = site.tokens(&scene.user, &scene.fake, "hello").await;
    for target in [
        format!("{OAUTH2_USER}/"),
        format!("{OAUTH2_USER}/x"),
        format!("{OAUTH2_USER}%00"),
        format!("{OAUTH2_USER};x"),
        OAUTH2_USER.to_uppercase(),
        format!("{API}/oauth2"),
        format!("{API}/oauth2/create-state"),
        format!("{PLUGIN}/apps/hello/oauth2/mattermost/connect"),
        format!("{PLUGIN}/apps/hello/oauth2/remote/connect/"),
        format!("{PLUGIN}/apps/hello"),
        format!("{API}/apps/"),
        format!("{PLUGIN}/"),
        "/plugins/com.mattermost.app/api/v1/oauth2/user".to_owned(),
        "/nowhere".to_owned(),
    ] {
        let answer = site.send(&Ask::get(target.as_str()).bearer(&token)).await;
        assert_eq!((answer.status, answer.text().as_str()), (404, "404 page not found\n"), "{target}");
        form::check(&answer, &target);
    }
    // Doubled and encoded slashes and dots reach nothing that the plain path would not.
    for target in [
        format!("{API}//oauth2/user"),
        format!("/{OAUTH2_USER}"),
        format!("{API}/./oauth2/user"),
        format!("{API}/apps/../oauth2/user"),
        format!("{API}/%2e%2e/v1/oauth2/user"),
        format!("{API}/oauth2%2Fuser"),
        format!("{PLUGIN}%2Fapi/v1/oauth2/user"),
        format!("{API}/apps/a%2Fb"),
        format!("{PLUGIN}/apps/hello%2F..%2Fother/oauth2/remote/connect"),
        format!("{API}/apps/%ff"),
        format!("{API}/apps/%zz"),
        format!("{API}/apps/%"),
    ] {
        let answer = site.send(&Ask::get(target.as_str()).bearer(&scene.admin.token)).await;
        assert!(matches!(answer.status, 301 | 400 | 404), "{target}: {answer:?}");
        form::check(&answer, &target);
    }
    for (target, allowed) in [
        (format!("{OAUTH2_USER}?{}", "a".repeat(16_000)), [200, 414]),
        (format!("{OAUTH2_USER}?{}", "a".repeat(60_000)), [200, 414]),
        (format!("/{}", "a".repeat(60_000)), [404, 414]),
        (format!("{PLUGIN}/tessera/v1/apps/hello/connections?limit=x"), [400, 401]),
        (format!("{PLUGIN}/tessera/v1/apps/hello/connections?limit=-1&limit=2&after=%ff"), [400, 401]),
    ] {
        let answer = site.send(&Ask::get(target.as_str()).bearer(&token)).await;
        assert!(allowed.contains(&answer.status), "{target:.60}: {answer:?}");
    }
    let target = format!("{PLUGIN}/tessera/v1/apps/hello/connections");
    for (query, status) in
        [("limit=x", 400), ("limit=-1", 200), ("limit=99999999999999999999", 400), ("after=%00", 200)]
    {
        let answer = site.send(&Ask::get(format!("{target}?{query}")).bearer(&scene.admin.token)).await;
        assert_eq!(answer.status, status, "{query}: {answer:?}");
        form::check(&answer, query);
    }
    scene.stands("odd paths").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_not_http_harm_nobody() {
    let scene = Scene::set().await;
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "a".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: a\r\n".repeat(1_000));
    for bytes in [
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET /",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\u{16}\u{3}\u{1}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        long.as_str(),
        many.as_str(),
    ] {
        let mut stream = TcpStream::connect(scene.site().address).await.unwrap();
        // The server may hang up at any moment, which is its right.
        let _ = stream.write_all(bytes.as_bytes()).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        let fine = answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.0 4");
        assert!(fine, "{bytes:.80?}: {answer}");
    }
    scene.stands("bytes that are not HTTP").await;
}
