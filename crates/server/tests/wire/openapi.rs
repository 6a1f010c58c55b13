//! docs/openapi.json says of the code what is so.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tessera_testkit::wire::{Ask, Sent};
use tessera_types as types;
use types::{Permission, location};

use crate::members;
use crate::router::{read, routes};
use crate::stage::Stage;

const ADDRESS: &str = "/plugins/com.mattermost.apps/tessera/v1/openapi.json";

/// Objects that Tessera writes: the schema has the type's name.
const WRITTEN: [&str; 29] = [
    "App",
    "AppMetadata",
    "AppSummary",
    "AwsFunction",
    "AwsLambda",
    "Binding",
    "Call",
    "CallRequest",
    "CallResponse",
    "CallResponseWithMetadata",
    "Channel",
    "ChannelMember",
    "Context",
    "Expand",
    "Field",
    "Form",
    "Http",
    "Manifest",
    "MattermostOAuth2App",
    "OAuth2App",
    "OAuth2Context",
    "OpenFaas",
    "OpenFaasFunction",
    "Plugin",
    "Post",
    "SelectOption",
    "Team",
    "TeamMember",
    "User",
];

fn document() -> Value {
    serde_json::from_str(&read("../../docs/openapi.json")).unwrap()
}

fn schema<'a>(document: &'a Value, name: &str) -> &'a Value {
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "no schema {name}");
    schema
}

fn texts(list: &Value) -> BTreeSet<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

fn names(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Calls `see` with every object of a document that is not an example.
fn walk(value: &Value, see: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            see(object);
            let inner = object.iter().filter(|(name, _)| !matches!(name.as_str(), "example" | "examples"));
            inner.for_each(|(_, value)| walk(value, see));
        }
        Value::Array(list) => list.iter().for_each(|value| walk(value, see)),
        _ => {}
    }
}

#[test]
fn every_route_and_method_is_described_and_nothing_else() {
    let document = document();
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in names(item) {
            described.insert(format!("{method} {path}"));
        }
    }
    let mut there = BTreeSet::new();
    for route in routes() {
        for method in route.methods {
            // A path may have several segments there, which OpenAPI cannot say.
            there.insert(format!("{method} {}", route.path.replace("{*", "{")));
        }
    }
    assert!(there.len() > 65, "{there:?}");
    let missing: Vec<_> = there.difference(&described).collect();
    let invented: Vec<_> = described.difference(&there).collect();
    assert!(missing.is_empty() && invented.is_empty(), "missing: {missing:#?}, invented: {invented:#?}");
}

#[test]
fn what_is_referred_to_is_there_and_what_is_there_is_used() {
    let document = document();
    let mut used = BTreeSet::new();
    walk(&document, &mut |object| {
        if let Some(Value::String(target)) = object.get("$ref") {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target} leads nowhere");
            used.insert(pointer.to_owned());
        }
    });
    assert!(used.len() > 60, "{used:?}");
    // These three are the words of the wire; requests may say anything.
    let words = ["Permission", "Location", "ExpandLevel"].map(|name| format!("/components/schemas/{name}"));
    for (kind, components) in document["components"].as_object().unwrap() {
        for name in names(components) {
            let pointer = format!("/components/{kind}/{name}");
            let known = kind == "securitySchemes" || words.contains(&pointer) || used.contains(&pointer);
            assert!(known, "nothing uses {pointer}");
        }
    }
    let (mut ids, mut linked) = (Vec::new(), Vec::new());
    walk(&document["paths"], &mut |object| {
        if let Some(Value::String(id)) = object.get("operationId") {
            let list = if object.contains_key("responses") { &mut ids } else { &mut linked };
            list.push(id.clone());
        }
    });
    let unique: BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "two operations share an id");
    assert!(!linked.is_empty() && linked.iter().all(|id| unique.contains(id)), "{linked:?}");
}

#[test]
fn the_words_are_those_of_the_types() {
    let document = document();
    let permissions = [
        Permission::USER_JOINED_CHANNEL,
        Permission::ACT_AS_BOT,
        Permission::ACT_AS_USER,
        Permission::REMOTE_OAUTH2,
        Permission::REMOTE_WEBHOOKS,
    ];
    let source = read("../types/src/permission.rs");
    assert_eq!(source.matches("pub const").count(), permissions.len());
    assert_eq!(texts(&schema(&document, "Permission")["enum"]), BTreeSet::from(permissions));
    let locations = [location::POST_MENU, location::CHANNEL_HEADER, location::COMMAND, location::IN_POST];
    assert_eq!(read("../types/src/location.rs").matches("pub const").count(), locations.len());
    assert_eq!(texts(&schema(&document, "Location")["enum"]), BTreeSet::from(locations));
    let levels = texts(&schema(&document, "ExpandLevel")["enum"]);
    assert!(levels.iter().all(|level| types::parse_level(level).is_ok()), "{levels:?}");
    for level in ["", "none", "id", "summary", "all"] {
        assert!(levels.contains(level), "{level}");
    }
    for level in ["id", "summary", "all"] {
        assert!(levels.contains(&*format!("+{level}")) && levels.contains(&*format!("-{level}")), "{level}");
    }
    let names = read("src/web/console.rs");
    let files: BTreeSet<_> =
        names.split("    (\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let file = &document["paths"]["/console/{file}"]["get"]["parameters"][0]["schema"]["enum"];
    assert_eq!(texts(file), files);
}

#[test]
fn objects_have_the_members_that_the_types_have() {
    let document = document();
    for name in WRITTEN {
        let schema = schema(&document, name);
        let members = members::of(name);
        let all: BTreeSet<_> = members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names(&schema["properties"]), all, "{name}");
        let always: BTreeSet<_> =
            members.iter().filter(|member| member.always).map(|member| member.name.as_str()).collect();
        let required = schema.get("required").map(texts).unwrap_or_default();
        assert_eq!(required, always, "{name} requires");
    }
    for (name, kind) in [
        ("CallRequestSent", "CallRequest"),
        ("ContextSent", "Context"),
        ("OAuth2AppSent", "OAuth2App"),
        ("UpdateAppListing", "Manifest"),
    ] {
        let mut known: BTreeSet<String> = members::of(kind).into_iter().map(|member| member.name).collect();
        known.extend(["Replace", "add_deploys", "remove_deploys"].map(str::to_owned));
        let said = names(&schema(&document, name)["properties"]);
        let unknown: Vec<_> = said.iter().filter(|name| !known.contains(**name)).collect();
        assert!(said.len() > 3 && unknown.is_empty(), "{name}: {unknown:?}");
    }
}

#[test]
fn secrets_are_marked() {
    let document = document();
    let secret = [
        "bot_access_token",
        "acting_user_access_token",
        "client_secret",
        "password",
        "secret",
        "webhook_secret",
    ];
    let mut marked = 0;
    for (kind, schema) in document["components"]["schemas"].as_object().unwrap() {
        // There the names have levels.
        if kind.starts_with("Expand") {
            continue;
        }
        walk(schema, &mut |object| {
            let Some(Value::Object(members)) = object.get("properties") else { return };
            for (name, schema) in members.iter().filter(|(name, _)| secret.contains(&name.as_str())) {
                assert_eq!(schema["x-secret"], true, "{kind}.{name}: {schema}");
                marked += 1;
            }
        });
    }
    assert!(marked >= 9, "{marked}");
}

/// An example is written again as it stands there.
fn written<T: DeserializeOwned + Serialize>(document: &Value, name: &str) {
    let examples = schema(document, name)["examples"].as_array().unwrap();
    for example in examples {
        let value: T = types::json::from_slice_strict(example.to_string().as_bytes()).unwrap();
        let again: Value = serde_json::from_slice(&types::json::to_vec(&value).unwrap()).unwrap();
        assert_eq!(&again, example, "{name}");
    }
}

/// An example is read, and means something.
fn taken<T: DeserializeOwned + Default + PartialEq>(document: &Value, name: &str) {
    let examples = schema(document, name)["examples"].as_array().unwrap();
    for example in examples {
        let value: T = types::json::from_slice_strict(example.to_string().as_bytes()).unwrap();
        assert!(value != T::default(), "{name}: {example}");
    }
}

#[test]
fn examples_are_what_the_types_read_and_write() {
    let document = document();
    written::<types::Manifest>(&document, "Manifest");
    written::<types::App>(&document, "App");
    written::<types::Call>(&document, "Call");
    written::<types::Form>(&document, "Form");
    written::<types::Binding>(&document, "Binding");
    written::<types::OAuth2App>(&document, "OAuth2AppSent");
    taken::<types::Call>(&document, "CallSent");
    taken::<types::CallRequest>(&document, "CallRequestSent");
    taken::<types::UpdateAppListing>(&document, "UpdateAppListing");
    let listed: types::UpdateAppListing =
        serde_json::from_value(schema(&document, "UpdateAppListing")["examples"][0].clone()).unwrap();
    listed.manifest.validate().unwrap();
}

#[tokio::test]
async fn it_is_served_to_anyone_as_it_lies_in_the_source() {
    let stage = Stage::set().await;
    let answer = stage.site.send(&Ask::get(ADDRESS)).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    assert_eq!(answer.text(), read("../../docs/openapi.json"));
    let server = answer.json()["servers"][0]["url"].as_str().unwrap().to_owned();
    for site in ["http://localhost:8065/", "https://chat.example.com/sub/path/"] {
        let here = url::Url::parse(site).unwrap().join(&ADDRESS[1..]).unwrap();
        assert_eq!(here.join(&server).unwrap().as_str(), site);
    }
}

#[tokio::test]
async fn bodies_are_limited_as_described() {
    let (stage, document) = (Stage::set().await, document());
    let mut found = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["responses"].get("413").is_none() {
                continue;
            }
            let most = operation["requestBody"]["x-max-bytes"].as_u64().unwrap();
            let most = usize::try_from(most).unwrap();
            let method = if method == "put" { "PUT" } else { "POST" };
            for (size, too_large) in [(most, false), (most + 1, true)] {
                let ask = Ask::new(method, path.replace(['{', '}'], "")).bearer(&stage.admin.token);
                let answer = stage.site.send(&ask.body(Sent::Whole(vec![b' '; size]))).await;
                assert_eq!(answer.status == 413, too_large, "{method} {path} {size}: {answer:?}");
            }
            found += 1;
        }
    }
    assert!(found >= 20, "{found}");
}

/// What people are told of versions is what programs are told.
#[tokio::test]
async fn versions_are_those_that_are_served() {
    let stage = Stage::set().await;
    let document = document();
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let pong = stage.site.send(&Ask::post("/plugins/com.mattermost.apps/api/v1/ping", "")).await.json();
    assert_eq!(schema(&document, "Pong")["examples"], json!([pong]));
    let served: BTreeMap<String, Value> =
        serde_json::from_value(schema(&document, "Manifest")["examples"][0].clone()).unwrap();
    assert_eq!(served["SchemaVersion"], pong["version"]);
}
