//! The list of switches: whole, in order, the same in README and JSON, and set by what people type.

use serde_json::{Value, json};
use tessera_simulator::{Behaviour, Counted, RetryAfter, Switch, SwitchError};

#[test]
fn there_are_35_switches_and_readme_has_the_table_of_them() {
    let numbers: Vec<_> = Behaviour::switches().iter().map(|switch| switch.number).collect();
    assert_eq!(numbers, [vec![0, 0], (1..=35).collect()].concat());
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(file).unwrap();
    let (before, rest) = readme.split_once("<!-- switches -->\n").unwrap();
    let after = &rest[rest.find("\nHow some of them").unwrap()..];
    let made = format!("{before}<!-- switches -->\n{}{after}", Switch::table());
    if std::env::var_os("TESSERA_UPDATE_GOLDEN").is_some() {
        std::fs::write(file, &made).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), made, "accept the table with TESSERA_UPDATE_GOLDEN=1");
}

/// The other files of this folder hold a test for each: its name has the number.
#[test]
fn every_switch_has_a_test() {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http")).unwrap();
    let sources: String = folder.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    for switch in Behaviour::switches().iter().filter(|switch| switch.number > 0) {
        let named = format!("\nasync fn quirk_{:02}_", switch.number);
        assert!(sources.contains(&named), "no test for {} {}", switch.number, switch.name);
        assert!(sources.contains(&format!("\"{}", switch.name)), "{} is set nowhere", switch.name);
    }
}

/// Each name is JSON's, each value that a bare name stands for is one, and `off` undoes it.
#[test]
fn every_switch_is_turned_on_by_its_name_and_off_again() {
    for switch in Behaviour::switches() {
        let mut behaviour = Behaviour::default();
        behaviour.set(switch.name).unwrap();
        let on = behaviour.in_force();
        match switch.number {
            0 => assert!(on.is_empty(), "{}: bare, it is as it was", switch.name),
            _ => assert_eq!(on.keys().collect::<Vec<_>>(), [switch.name]),
        }
        let written = serde_json::to_value(&behaviour).unwrap();
        assert_eq!(serde_json::from_value::<Behaviour>(written).unwrap(), behaviour, "{}", switch.name);
        let counted = behaviour.set(&format!("{}*2", switch.name));
        assert_eq!(counted.is_ok(), switch.counted, "{}: {counted:?}", switch.name);
        if switch.counted {
            assert_eq!(behaviour.in_force()[switch.name]["times"], json!(2));
        }
        behaviour.set(&format!("{}=off", switch.name)).unwrap();
        assert_eq!(behaviour, Behaviour::default(), "{}", switch.name);
    }
}

#[test]
fn what_is_typed_becomes_a_position() {
    let mut behaviour = Behaviour::default();
    for typed in ["nested-token=7", "rate-limited=date+5*2", "clock-off=-60", "token-life=90", "html-502*0"] {
        behaviour.set(typed).unwrap();
    }
    assert_eq!(behaviour.nested_token, Some("7".to_owned()).into());
    assert_eq!(behaviour.rate_limited, Counted::times(Some(RetryAfter::Date(5)), 2));
    assert_eq!((behaviour.clock_off, behaviour.token_life.as_secs()), (-60, 90));
    assert_eq!(behaviour.html_502, Counted::default(), "no times at all is off");
}

#[test]
fn what_is_no_switch_or_no_position_is_told_and_changes_nothing() {
    let mut behaviour = Behaviour::default();
    for (typed, told) in [
        ("nonsense", "there is no switch \"nonsense\"; there are: token-life, "),
        ("", "there is no switch \"\""),
        ("iss=elsewhere", "iss: unknown variant `elsewhere`, expected one of `present`"),
        ("iss=7", "iss: "),
        ("idle-death=-1", "idle-death: "),
        (
            "revoke-answer=418",
            "revoke-answer: expected 200, 400 or 503 (values: 200, 400, 503, or off, each with *N",
        ),
        ("rate-limited=soon", "rate-limited: expected a number of seconds, or date+"),
        ("redirect-reply=200", "redirect-reply: expected 302, 303, 307 or 308"),
        ("html-502*many", "html-502: `times` must be a whole number"),
        ("rotate-refresh-tokens*2", "rotate-refresh-tokens: "),
        ("long-token=1000001", "long-token: more than 1000000 bytes"),
    ] {
        let error = behaviour.set(typed).unwrap_err();
        assert!(error.to_string().starts_with(told), "{typed}: {error}");
    }
    assert_eq!(behaviour, Behaviour::default());
    assert_eq!(behaviour.set_json(&Value::Null), Err(SwitchError::NoObject));
}
