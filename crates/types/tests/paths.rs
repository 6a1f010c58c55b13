//! Static names, call URLs and URLs of remote services (apps-framework.md sections 5.6, 7.1, 8.2 and 11.5).

use tessera_types::path::{call_url, clean_static, http_url_problem, normalize_remote};
use tessera_types::{Call, Http, Manifest};

#[test]
fn c_uu_04_static_names_are_cleaned() {
    let good = [
        ("X/Y/../Z", "X/Z"),
        ("////X///Y////Z///", "./X/Y/Z"),
        ("/X/../../Y", "./Y"),
        ("/a", "./a"),
        ("a%2Fb", "a%2Fb"),
        ("https://t/X/../../Y", "https://t/Y"),
        ("icon.png?v=1", "icon.png?v=1"),
        ("a%252fb", "a/b"),
        ("my icon.png", "my%20icon.png"),
        ("./a:b", "./a:b"),
        ("//t/x", "//t/./x"),
    ];
    for (name, cleaned) in good {
        assert_eq!(clean_static(name).unwrap(), cleaned, "{name}");
    }
    let bad = [
        ("", "empty path: invalid input"),
        ("?x", "empty path: invalid input"),
        ("X/../../Y", "bad path: \"X/../../Y\": invalid input"),
        ("X%252f..%252f..%252fm", "bad path: \"X/../../m\": invalid input"),
        ("X/..", "bad path: \"X/..\": invalid input"),
        ("../..", "bad path: \"../..\": invalid input"),
        // What is no URL has no kind, as in the original.
        ("100%25", "invalid URL escape \"%\""),
        ("%zz", "parse \"%zz\": invalid URL escape \"%zz\""),
        (":x", "parse \":x\": missing protocol scheme"),
    ];
    for (name, text) in bad {
        assert_eq!(clean_static(name).unwrap_err().to_string(), text, "{name}");
    }
}

#[test]
fn b_58_the_parent_alone_is_refused_however_it_is_written() {
    for name in ["..", "%2e%2e", "%252e%252e", "%25252e."] {
        assert_eq!(clean_static(name).unwrap_err().to_string(), "bad path: \"..\": invalid input", "{name}");
    }
}

#[test]
fn section_7_1_calls_are_joined_to_the_root() {
    let cases = [
        ("http://h:1", "/send", "http://h:1/send"),
        ("http://h:1/base/", "/x?y=1", "http://h:1/base/x?y=1"),
        ("http://h:1", "/a/b/", "http://h:1/a/b"),
        ("http://h:1", "/a%2Fb", "http://h:1/a/b"),
        ("http://h:1", "/a b", "http://h:1/a%20b"),
        ("http://h:1", "/test-%C3%AEtem", "http://h:1/test-%C3%AEtem"),
        ("http://h:1", "/test-îtem", "http://h:1/test-%C3%AEtem"),
        ("http://h:1", "/x?y=a%2Fb#f", "http://h:1/x?y=a%2Fb#f"),
        ("http://h:1", "/a?", "http://h:1/a?"),
        ("http://h:1", "/a#", "http://h:1/a"),
        ("http://h:1", "/a*b!c(d)[e]'f'\"g<h>", "http://h:1/a%2Ab%21c%28d%29%5Be%5D%27f%27%22g%3Ch%3E"),
        ("http://h:1", "/x;y=1,2", "http://h:1/x;y=1,2"),
        ("HTTPS://h", "", "https://h/"),
    ];
    for (root, path, url) in cases {
        assert_eq!(call_url(root, path).unwrap(), url, "{root} {path}");
    }
}

#[test]
fn section_7_1_a_call_stays_with_the_host_of_its_root() {
    for path in ["//evil", "/../../evil", "@evil", ":80@evil", "/%2f%2fevil", "/\\evil"] {
        let url = call_url("http://h:1", path).unwrap();
        assert!(url.starts_with("http://h:1/"), "{path}: {url}");
    }
}

#[test]
fn section_7_1_a_path_with_a_percent_sign_of_its_own_cannot_be_called() {
    let why = |path| call_url("http://h:1", path).unwrap_err().to_string();
    assert_eq!(why("/100%25"), "invalid URL escape \"%\"");
    assert_eq!(why("/a%2525b"), "invalid URL escape \"%b\"");
    assert_eq!(why("/%zz"), "parse \"http://h:1//%zz\": invalid URL escape \"%zz\"");
}

#[test]
fn os_48_a_call_stays_below_the_apps_root() {
    let root = "http://h:1/base";
    for path in
        ["/%2e%2e/x", "/..%2fx", "/a/%252e%252e/%2e%2e/x", "/%2e%2e", "/%2e%2e/baseless/x", "/%2e%2e/bas"]
    {
        let why = call_url(root, path).unwrap_err().to_string();
        assert!(why.starts_with("bad path: \"/base/"), "{path}: {why}");
    }
    for (path, url) in [
        ("/a/%2e%2e/b", "http://h:1/base/b"),
        ("/%2e%2e/base/x", "http://h:1/base/x"),
        ("/", "http://h:1/base"),
        ("/..x", "http://h:1/base/..x"),
    ] {
        assert_eq!(call_url(root, path).as_deref(), Ok(url), "{path}");
    }
    // Where the root is the whole host there is nothing to leave.
    assert_eq!(call_url("http://h:1", "/%2e%2e/x").as_deref(), Ok("http://h:1/x"));
    assert_eq!(call_url("http://h:1/a%20b/", "/x").as_deref(), Ok("http://h:1/a%20b/x"));
}

#[test]
fn c_uu_05_http_urls() {
    for url in [
        "http://x",
        "https://x.example.com/a?b=c#d",
        "HTTP://x:8080",
        "http://[::1]:80/",
        "http://a:b@x",
        "http://é",
    ] {
        assert_eq!(http_url_problem(url), None, "{url}");
    }
    let scheme = "URL schema must either be \"http\" or \"https\"";
    let host = "URL must contain a host";
    let bad = [
        ("", "parse \"\": empty url"),
        ("foo", "parse \"foo\": invalid URI for request"),
        ("example.com/a", "parse \"example.com/a\": invalid URI for request"),
        ("/", scheme),
        ("//x", scheme),
        ("*", scheme),
        ("ftp://x", scheme),
        ("mailto:ann@example.com", scheme),
        ("javascript:alert(1)", scheme),
        ("http:", host),
        ("http:/a", host),
        ("http://", host),
        ("https:///a", host),
        ("http://:80", host),
        ("http://a@:80", host),
        ("http://a b", "parse \"http://a b\": invalid character \" \" in host name"),
        ("http://a:x", "parse \"http://a:x\": invalid port \":x\" after host"),
        ("http://h:1:2/", "parse \"http://h:1:2/\": invalid port \":1:2\" after host"),
        ("http://[::1", "parse \"http://[::1\": missing ']' in host"),
        ("http://[::1]80", "parse \"http://[::1]80\": invalid port \"80\" after host"),
        ("http://u ser@h", "parse \"http://u ser@h\": net/url: invalid userinfo"),
        ("http://h/%zz", "parse \"http://h/%zz\": invalid URL escape \"%zz\""),
        ("http://%41/", "parse \"http://%41/\": invalid URL escape \"%41\""),
        ("http://x\n", "parse \"http://x\\n\": net/url: invalid control character in URL"),
        (":x", "parse \":x\": missing protocol scheme"),
        ("1http://x", "parse \"1http://x\": invalid URI for request"),
    ];
    for (url, why) in bad {
        assert_eq!(http_url_problem(url).as_deref(), Some(why), "{url}");
    }
}

#[test]
fn c_uu_06_remote_urls_are_normalised() {
    let site = "https://mm.example.com/";
    let good = [
        ("https://idp.example.net/", "https://idp.example.net"),
        ("idp.example.net", "https://idp.example.net"),
        ("//idp.example.net/x/", "https://idp.example.net/x"),
        ("idp.example.net:8443/x", "https://idp.example.net:8443/x"),
        ("http://idp.example.net", "http://idp.example.net"),
        ("https://mm.example.com/other", "https://mm.example.com/other"),
    ];
    for (base, normal) in good {
        assert_eq!(normalize_remote(base, site).unwrap(), normal, "{base}");
    }
    let why = |base| normalize_remote(base, site).unwrap_err().to_string();
    assert_eq!(why(""), "invalid URL, no hostname: \"\"");
    assert_eq!(why("https:///x"), "invalid URL, no hostname: \"https:///x\"");
    assert_eq!(why("ftp://x"), "URL schema must either be \"http\" or \"https\"");
    let own = "https://mm.example.com is the Mattermost site URL. Please use the remote application's URL";
    assert_eq!(why("https://mm.example.com"), own);
    assert_eq!(why("mm.example.com/"), own);
}

#[test]
fn section_5_6_paths_that_only_the_server_calls_are_reserved() {
    let manifest = Manifest {
        on_install: Some(Call::new("/installed")),
        on_uninstall: Some(Call::new("/uninstalled")),
        on_version_changed: Some(Call::new("/changed")),
        on_enable: Some(Call::new("/enabled")),
        on_disable: Some(Call::new("/disabled")),
        get_oauth2_connect_url: Some(Call::new("/my/connect")),
        ..Manifest::default()
    };
    let reserved = [
        ("/ping", "/ping"),
        ("/installed", "on_install.path"),
        ("/uninstalled", "on_uninstall.path"),
        ("/changed", "on_version_changed.path"),
        ("/enabled", "on_enable.path"),
        ("/disabled", "on_disable.path"),
        ("/my/connect", "get_oauth2_connect_url.path"),
        ("/oauth2/complete", "on_oauth2_complete.path"),
        ("/webhook", "on_remote_webhook.path"),
    ];
    for (path, label) in reserved {
        assert_eq!(manifest.reserved_path(path), Some(label), "{path}");
    }
    for path in ["/webhook/x", "/bindings", "/oauth2/connect", "/send", "", "/pin"] {
        assert_eq!(manifest.reserved_path(path), None, "{path}");
    }
    assert_eq!(Manifest::default().reserved_path("/oauth2/connect"), Some("get_oauth2_connect_url.path"));
}

#[test]
fn b_59_a_call_without_a_path_reserves_the_default() {
    let bare = || Some(Call::default());
    let manifest = Manifest {
        get_oauth2_connect_url: bare(),
        on_oauth2_complete: bare(),
        on_remote_webhook: bare(),
        ..Manifest::default()
    };
    assert_eq!(manifest.reserved_path("/oauth2/connect"), Some("get_oauth2_connect_url.path"));
    assert_eq!(manifest.reserved_path("/oauth2/complete"), Some("on_oauth2_complete.path"));
    assert_eq!(manifest.reserved_path("/webhook"), Some("on_remote_webhook.path"));
}

#[test]
fn section_5_6_a_reserved_path_is_reserved_however_it_is_written() {
    let http = Some(Http { root_url: "http://h/base".to_owned(), use_jwt: false });
    let manifest = Manifest { http, ..Manifest::default() };
    let connect = [
        "/oauth2/connect?x",
        "/oauth2/connect#x",
        "/oauth2%2Fconnect",
        "/oauth2%252Fconnect",
        "/%6fauth2/connect/",
        "/x/%2e%2e/oauth2/connect",
        "/%2e%2e/base/oauth2/connect",
    ];
    for path in connect {
        assert_eq!(manifest.reserved_path(path), Some("get_oauth2_connect_url.path"), "{path}");
    }
}
