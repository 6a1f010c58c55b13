//! Codes for devices: what is read, and when the provider is asked again.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tessera_server::providers::{Class, Descriptor, Device, DeviceNext, DevicePoll, Failure, read_device};

const SENT: i64 = 1_795_600_000_000;

fn reading(status: u16, body: &str) -> Result<Device, Failure> {
    let text = "name = 'x'\ndisplay_name = 'X'\nauthorize_url = 'https://x.example/a'\ntoken_url = 'https://x.example/t'\n";
    let descriptor = Descriptor::read(text).unwrap();
    read_device(&descriptor, StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes(), SENT)
}

/// RFC 8628 section 3.2.
fn reply() -> Value {
    json!({
        "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://example.com/device",
        "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
        "expires_in": 1800,
        "interval": 5,
    })
}

fn with(change: impl FnOnce(&mut Value)) -> String {
    let mut reply = reply();
    change(&mut reply);
    reply.to_string()
}

#[test]
fn a_reply_is_read_as_the_rfc_has_it_and_as_providers_write_it() {
    let device = reading(200, &reply().to_string()).unwrap();
    assert!(device.device_code.expose().starts_with("GmRh"));
    assert_eq!(device.user_code, "WDJB-MJHT");
    assert_eq!(device.verification_uri.as_str(), "https://example.com/device");
    assert!(device.verification_uri_complete.unwrap().as_str().ends_with("WDJB-MJHT"));
    assert_eq!((device.expires_in.as_secs(), device.interval.as_secs()), (1800, 5));
    let seconds = |text: String| {
        let device = reading(200, &text).unwrap();
        (device.expires_in.as_secs(), device.interval.as_secs())
    };
    // A pace and a life that are missing, none, or text.
    for (life, pace, read) in [
        (Value::Null, Value::Null, (600, 5)),
        (json!(0), json!(0), (600, 5)),
        (json!("900"), json!("7"), (900, 7)),
        (json!(1e9), json!(-1), (600, 5)),
    ] {
        let text = with(|reply| {
            reply["expires_in"] = life;
            reply["interval"] = pace;
        });
        assert_eq!(seconds(text), read);
    }
    let google = with(|reply| {
        let place = reply.as_object_mut().unwrap().remove("verification_uri").unwrap();
        reply["verification_url"] = place;
    });
    assert_eq!(reading(200, &google).unwrap().verification_uri.as_str(), "https://example.com/device");
    let form =
        "device_code=d&user_code=u&verification_uri=https%3A%2F%2Fgithub.com%2Flogin%2Fdevice&interval=5";
    assert_eq!(reading(200, form).unwrap().verification_uri.path(), "/login/device");
    assert!(!format!("{:?}", reading(200, form)).contains("\"d\""), "the device's code is masked");
}

#[test]
fn what_lacks_a_code_or_an_address_is_no_reply() {
    for (name, value) in [
        ("device_code", json!("")),
        ("user_code", Value::Null),
        ("user_code", json!("x".repeat(65))),
        ("user_code", json!("a\nb")),
        ("verification_uri", json!("javascript:alert(1)")),
        ("verification_uri", json!("https://user@example.com/")),
        ("verification_uri", Value::Null),
    ] {
        let failure = reading(200, &with(|reply| reply[name] = value)).unwrap_err();
        assert_eq!((failure.class, failure.code.as_str()), (Class::Transient, "unreadable_reply"), "{name}");
    }
    let strange = with(|reply| reply["verification_uri_complete"] = json!("data:text/html,x"));
    assert!(reading(200, &strange).unwrap().verification_uri_complete.is_none());
    let off = reading(200, r#"{"error":"device_flow_disabled"}"#).unwrap_err();
    assert_eq!(off.class, Class::Operator);
    assert_eq!(reading(401, "").unwrap_err().class, Class::Operator);
    assert_eq!(reading(502, "<html>").unwrap_err().code, "http_502");
}

fn failure(class: Class, code: &str) -> Failure {
    Failure { class, code: code.into(), status: 400, retry_after: None, outcome_unknown: false }
}

#[test]
fn the_provider_is_asked_at_its_pace_until_it_says_yes_or_no_or_the_codes_run_out() {
    let device = reading(200, &with(|reply| reply["expires_in"] = json!(100))).unwrap();
    let at = |seconds: i64| DeviceNext::At(SENT + seconds * 1000);
    let mut poll = DevicePoll::new(&device, SENT);
    assert_eq!(poll.next(), at(5));
    let mut now = 5;
    // Code, seconds to the next question.
    for (code, pause) in [
        ("authorization_pending", 5),
        ("slow_down", 10),
        ("authorization_pending", 10),
        ("slow_down", 15),
        ("slow_down", 20),
        ("authorization_pending", 20),
    ] {
        let next = poll.failed(&failure(Class::Transient, code), SENT + now * 1000);
        assert_eq!(next, at(now + pause), "{code}");
        assert_eq!(poll.next(), next);
        now += pause;
    }
    assert_eq!(now, 85);
    assert_eq!(
        poll.failed(&failure(Class::Transient, "authorization_pending"), SENT + 85_000),
        DeviceNext::Expired
    );
    assert_eq!(poll.next(), DeviceNext::Expired);
    // It can be kept.
    let kept: DevicePoll = serde_json::from_value(serde_json::to_value(poll).unwrap()).unwrap();
    assert_eq!(kept, poll);
}

#[test]
fn an_outage_doubles_the_pause_and_a_refusal_ends_the_polling() {
    let device = reading(200, &with(|reply| reply["expires_in"] = json!(1800))).unwrap();
    let start = DevicePoll::new(&device, SENT);
    let mut poll = start;
    let mut pauses = Vec::new();
    for _ in 0..8 {
        let _ = poll.failed(&failure(Class::Transient, "no_reply"), SENT);
        pauses.push((poll.next_at - SENT) / 1000);
    }
    assert_eq!(pauses, [10, 20, 40, 80, 160, 300, 300, 300]);
    let mut poll = start;
    let wait =
        Failure { retry_after: Some(Duration::from_secs(77)), ..failure(Class::Transient, "http_429") };
    assert_eq!(poll.failed(&wait, SENT), DeviceNext::At(SENT + 77_000));
    for (class, code, next) in [
        (Class::User, "access_denied", DeviceNext::Denied),
        (Class::User, "authorization_declined", DeviceNext::Denied),
        (Class::Terminal, "expired_token", DeviceNext::Expired),
        (Class::Terminal, "incorrect_device_code", DeviceNext::Failed),
        (Class::Terminal, "invalid_grant", DeviceNext::Failed),
        (Class::Operator, "invalid_client", DeviceNext::Failed),
        (Class::User, "invalid_scope", DeviceNext::Failed),
    ] {
        assert_eq!({ start }.failed(&failure(class, code), SENT), next, "{code}");
    }
}
