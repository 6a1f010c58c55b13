//! Manifests, their validation and the merging of listings (apps-framework.md sections 8 and 9.2).

use tessera_types::{AwsFunction, AwsLambda, DeployType, Http, Manifest, Permission, Plugin, json, location};

fn http(root_url: &str) -> Option<Http> {
    Some(Http { root_url: root_url.to_owned(), use_jwt: false })
}

fn aws(functions: Vec<AwsFunction>) -> Option<AwsLambda> {
    Some(AwsLambda { functions })
}

fn function() -> AwsFunction {
    AwsFunction {
        path: "/".to_owned(),
        name: "go-function".to_owned(),
        handler: "main".to_owned(),
        runtime: "go1.x".to_owned(),
    }
}

/// Nothing but what must be there, without a way to run.
fn named() -> Manifest {
    Manifest {
        app_id: "abc".to_owned(),
        homepage_url: "http://example.com".to_owned(),
        display_name: "A B C".to_owned(),
        ..Manifest::default()
    }
}

fn minimal() -> Manifest {
    Manifest { http: http("http://h:1"), ..named() }
}

fn problems(manifest: &Manifest) -> Vec<String> {
    manifest.validate().map_or_else(|all| all.texts().to_vec(), |()| Vec::new())
}

#[test]
fn c_ud_07_manifests_of_every_kind_are_read() {
    let read = |deploy: &str| -> Manifest {
        json::from_slice_strict(
            format!(r#"{{"app_id":"abc","SchemaVersion":"1","on_install":"/i",{deploy}}}"#).as_bytes(),
        )
        .unwrap()
    };
    let of_http = read(r#""http":{"root_url":"http://h:1","use_jwt":true}"#);
    assert_eq!(of_http.http, Some(Http { root_url: "http://h:1".to_owned(), use_jwt: true }));
    assert_eq!(of_http.on_install.map(|call| call.path).as_deref(), Some("/i"));
    let of_aws = read(
        r#""aws_lambda":{"functions":[{"path":"/","name":"go-function","handler":"main","runtime":"go1.x"}]}"#,
    );
    assert_eq!(of_aws.aws_lambda, aws(vec![function()]));
    let of_plugin = read(r#""plugin":{"plugin_id":"com.example.p"}"#);
    assert_eq!(of_plugin.plugin, Some(Plugin { plugin_id: "com.example.p".to_owned() }));
    assert_eq!(of_plugin.http, None);
}

#[test]
fn c_ud_08_app_ids() {
    let id = |app_id: &str| problems(&Manifest { app_id: app_id.to_owned(), ..minimal() });
    let most = "a".repeat(32);
    for good in ["abc", &most, "CAPS", "a.b.c", "a-b", "a_b", "été", "a1٣"] {
        assert_eq!(id(good), [""; 0], "{good}");
    }
    assert_eq!(id(""), ["appID  too short, should be 3 bytes: invalid input"]);
    assert_eq!(id("a"), ["appID a too short, should be 3 bytes: invalid input"]);
    assert_eq!(id("ab"), ["appID ab too short, should be 3 bytes: invalid input"]);
    let more = "a".repeat(33);
    assert_eq!(id(&more), [format!("appID {more} too long, should be 32 bytes: invalid input")]);
    // Seventeen characters, thirty-four bytes.
    assert!(id(&"é".repeat(17))[0].ends_with(" too long, should be 32 bytes: invalid input"));
    assert_eq!(id("../path"), ["invalid character '/' in appID \"../path\": invalid input"]);
    let twice = "invalid character '/' in appID \"/etc/passwd\": invalid input";
    assert_eq!(id("/etc/passwd"), [twice, twice]);
}

#[test]
fn c_ud_09_versions() {
    let of = |version: &str| problems(&Manifest { version: version.to_owned(), ..minimal() });
    for good in ["", "v1.0.0", "1.0.0-rc1", "CAPS-OK", ".DOTS.", "v00_00_000"] {
        assert_eq!(of(good), [""; 0], "{good}");
    }
    let long = "version v00_00_0000 too long, should be in v00_00_000 format: invalid input";
    assert_eq!(of("v00_00_0000"), [long]);
    assert_eq!(of("/"), ["invalid character '/' in appVersion: invalid input"]);
}

#[test]
fn c_ud_10_minimal_manifests_are_valid() {
    assert_eq!(minimal().validate(), Ok(()));
    assert_eq!(Manifest { aws_lambda: aws(vec![function()]), ..named() }.validate(), Ok(()));
}

#[test]
fn c_ud_10_an_empty_manifest_says_all_that_is_missing_in_order() {
    let text = concat!(
        "5 errors occurred:\n",
        "\t* display_name is empty: invalid input\n",
        "\t* homepage_url is empty: invalid input\n",
        "\t* homepage_url \"\" invalid: parse \"\": empty url: invalid input\n",
        "\t* appID  too short, should be 3 bytes: invalid input\n",
        "\t* manifest has no deployment information (http, aws_lambda, open_faas, etc.): invalid input\n",
        "\n",
    );
    assert_eq!(Manifest::default().validate().unwrap_err().to_string(), text);
}

#[test]
fn c_ud_10_each_single_fault_is_named() {
    let schema = "URL schema must either be \"http\" or \"https\"";
    let with = |change: fn(&mut Manifest)| {
        let mut manifest = minimal();
        change(&mut manifest);
        problems(&manifest)
    };
    let nowhere = "manifest has no deployment information (http, aws_lambda, open_faas, etc.): invalid input";
    assert_eq!(problems(&named()), [nowhere]);
    assert_eq!(with(|m| m.display_name.clear()), ["display_name is empty: invalid input"]);
    assert_eq!(
        with(|m| m.homepage_url.clear()),
        [
            "homepage_url is empty: invalid input",
            "homepage_url \"\" invalid: parse \"\": empty url: invalid input"
        ]
    );
    assert_eq!(
        with(|m| m.homepage_url = ":invalid".to_owned()),
        ["homepage_url \":invalid\" invalid: parse \":invalid\": missing protocol scheme: invalid input"]
    );
    assert_eq!(
        with(|m| m.homepage_url = "ftp://x".to_owned()),
        [format!("homepage_url \"ftp://x\" invalid: {schema}: invalid input")]
    );
    assert_eq!(with(|m| m.http = http("")), ["root_url must be set for HTTP apps: invalid input"]);
    assert_eq!(
        with(|m| m.http = http("x")),
        ["invalid root_url: \"x\": parse \"x\": invalid URI for request: invalid input"]
    );
    assert_eq!(with(|m| m.icon = "../..".to_owned()), ["bad path: \"../..\": invalid input"]);
    assert_eq!(with(|m| m.icon = "%zz".to_owned()), ["parse \"%zz\": invalid URL escape \"%zz\""]);
    let no_function = "must provide at least 1 function in aws_lambda.Functions: invalid input";
    assert_eq!(with(|m| m.aws_lambda = aws(Vec::new())), [no_function]);
    assert_eq!(
        with(|m| m.plugin = Some(Plugin::default())),
        ["plugin_id must be set for plugin apps: invalid input"]
    );
}

#[test]
fn c_ud_10_a_function_at_aws_needs_all_four() {
    let with = |change: fn(&mut AwsFunction)| {
        let mut function = function();
        change(&mut function);
        Manifest { aws_lambda: aws(vec![function]), ..named() }.validate().unwrap_err().to_string()
    };
    let text = |name: &str, member: &str| {
        format!(
            "1 error occurred:\n\t* \"{name}\" is not valid: 1 error occurred:\n\t* aws_lambda {member} must not be \
             empty: invalid input\n\n\n\n"
        )
    };
    assert_eq!(with(|function| function.path.clear()), text("go-function", "path"));
    assert_eq!(with(|function| function.name.clear()), text("", "name"));
    assert_eq!(with(|function| function.handler.clear()), text("go-function", "handler"));
    assert_eq!(with(|function| function.runtime.clear()), text("go-function", "runtime"));
}

#[test]
fn section_8_2_functions_of_open_faas_need_path_and_name() {
    let with = |text: &str| {
        let open_faas = json::from_slice_strict(text.as_bytes()).unwrap();
        problems(&Manifest { open_faas, ..named() })
    };
    assert_eq!(with(r#"{"functions":[{"path":"/","name":"f"}]}"#), [""; 0]);
    assert_eq!(with("{}"), ["must provide at least 1 function: invalid input"]);
    let text = |name: &str, member: &str| {
        format!(
            "invalid function \"{name}\": invalid OpenFaaS function: {member} must not be empty: invalid input"
        )
    };
    assert_eq!(with(r#"{"functions":[{"name":"f"}]}"#), [text("f", "path")]);
    assert_eq!(with(r#"{"functions":[{"path":"/"}]}"#), [text("", "name")]);
    // Of several bad ones only the first is named.
    let several = r#"{"functions":[{"path":"/","name":"f"},{"path":"/"},{"name":"g"},{}]}"#;
    assert_eq!(with(several), [text("", "name")]);
}

#[test]
fn section_8_3_permissions_need_others() {
    let asking = |permissions: &[&str]| {
        let requested_permissions = permissions.iter().copied().map(str::to_owned).collect();
        problems(&Manifest { requested_permissions, ..minimal() })
    };
    assert_eq!(asking(&["remote_oauth2", "act_as_user", "remote_webhooks", "act_as_bot", "fly"]), [""; 0]);
    let bot = "use Mattermost REST API as the app's bot user";
    // Only the first of three violations.
    let all = asking(&["user_joined_channel_notification", "remote_oauth2", "remote_webhooks"]);
    assert_eq!(all.len(), 1);
    assert!(all[0].ends_with(&format!(" requires {bot}: invalid input")), "{all:?}");
    let oauth2 = concat!(
        "use a remote (3rd party) OAuth2 and store secrets requires ",
        "use Mattermost REST API as connected users: invalid input",
    );
    assert_eq!(asking(&["remote_oauth2"]), [oauth2]);
    assert_eq!(
        asking(&["user_joined_channel_notification"]),
        [format!("be notified when users join channels requires {bot}: invalid input")]
    );
    // As it is, with no marks around it.
    assert_eq!(Permission::prose("fly"), "unknown permission: fly");
    let unknown = asking(&["remote_oauth2", "fly"]);
    assert!(unknown[0].contains(", unknown permission: fly requires use Mattermost REST API"), "{unknown:?}");
}

#[test]
fn c_ud_06_locations() {
    assert!(location::is_in("/a/b", "/a"));
    assert!(location::is_in("/a-b", "/a"));
    assert!(!location::is_in("/b", "/a"));
    assert!(!location::is_in("/a", "/a/b"));
    assert_eq!(location::prose("/command"), "Slash commands");
    assert_eq!(location::prose("/command/x/y"), "`/x y` command");
    assert_eq!(location::prose("/in_post"), "/in_post");
    assert!(location::is_top("/post_menu") && !location::is_top("/in_post"));
}

/// Which of the two manifests each way to run comes from: the new one is at `http://new` and has the function `new`.
fn merged(
    new: Manifest,
    old: Option<Manifest>,
    add: &[DeployType],
    remove: &[DeployType],
) -> [Option<String>; 2] {
    let merged = new.merge_deploys(old.as_ref(), add, remove);
    let function = |lambda: AwsLambda| lambda.functions.into_iter().next().map(|function| function.name);
    [merged.http.map(|http| http.root_url), merged.aws_lambda.and_then(function)]
}

#[test]
fn c_uu_03_ways_to_run_are_merged() {
    let lambda = |name: &str| aws(vec![AwsFunction { name: name.to_owned(), ..function() }]);
    let new = || Manifest { http: http("new"), aws_lambda: lambda("new"), ..named() };
    let old = || Some(Manifest { http: http("old"), aws_lambda: lambda("old"), ..named() });
    let old_http = || Some(Manifest { http: http("old"), ..named() });
    let some = |text: &str| Some(text.to_owned());
    let (h, a) = (DeployType::Http, DeployType::AwsLambda);

    // Both have both: the new ones.
    assert_eq!(merged(new(), old(), &[], &[]), [some("new"), some("new")]);
    // What the old one lacks is not taken without being asked for.
    assert_eq!(merged(new(), old_http(), &[], &[]), [some("new"), None]);
    // Asked for, it is.
    assert_eq!(merged(new(), old_http(), std::slice::from_ref(&a), &[]), [some("new"), some("new")]);
    // What the new one lacks stays as it was.
    assert_eq!(merged(named(), old(), &[], &[]), [some("old"), some("old")]);
    // Also when it is asked for.
    assert_eq!(merged(named(), old_http(), &[h.clone(), a.clone()], &[]), [some("old"), None]);
    // Removing wins over everything.
    assert_eq!(merged(new(), old(), std::slice::from_ref(&h), std::slice::from_ref(&h)), [None, some("new")]);
    // A first listing has what it asks for, and nothing else (B-32).
    assert_eq!(merged(new(), None, std::slice::from_ref(&h), &[]), [some("new"), None]);
}

#[test]
fn c_uu_03_everything_else_is_the_new_manifests() {
    let old = Manifest { version: "v1".to_owned(), icon: "a.png".to_owned(), ..minimal() };
    let new = Manifest { version: "v2".to_owned(), ..named() };
    let merged = new.clone().merge_deploys(Some(&old), &[], &[]);
    assert_eq!(merged, Manifest { http: old.http, ..new });
}
