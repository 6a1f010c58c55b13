//! The person's way: sign-in, consent, the redirect, and every reason not to get there.

use reqwest::{Method, StatusCode};
use tessera_simulator::PASSWORD;

use crate::browser::Browser;
use crate::stage::{CALENDAR, CLIENT, REDIRECT, Stage};

#[tokio::test]
async fn a_person_signs_in_consents_and_goes_back_with_code_state_and_issuer() {
    let stage = Stage::new().await;
    let sign_in = stage.browser.get(&Stage::authorize_path(&[("access_type", "offline")])).await;
    assert_eq!(sign_in.status, StatusCode::OK);
    assert_eq!(sign_in.action(), "/sign-in");
    assert_eq!(sign_in.fields().into_keys().collect::<Vec<_>>(), ["csrf", "password", "request", "username"]);
    assert!(sign_in.header("set-cookie").ends_with("; HttpOnly; SameSite=Lax; Path=/"));

    let consent = stage.browser.sign_in(&sign_in, "ada", PASSWORD).await;
    assert_eq!(consent.status, StatusCode::OK);
    for shown in [CLIENT, CALENDAR, "See and change your calendars", "ada@simulator.example", "localhost"] {
        assert!(consent.body.contains(shown), "{shown} is not in {}", consent.body);
    }
    assert_eq!(stage.simulator.authorizations(), 0);

    let back = stage.browser.submit(&consent, &[("decision", "approve")]).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER);
    assert!(back.location().starts_with(&format!("{REDIRECT}&code=")), "{}", back.location());
    let answer = back.answer();
    assert_eq!(answer["state"], "a state/&=");
    assert_eq!(answer["iss"], stage.simulator.url());
    assert_eq!(stage.simulator.issued_secrets(), [answer["code"].as_str()]);
    assert_eq!(stage.simulator.authorizations(), 1);

    let again = stage.browser.submit(&consent, &[("decision", "approve")]).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "a request is answered once");
    let next = stage.browser.get(&Stage::authorize_path(&[])).await;
    assert_eq!(next.action(), "/consent", "the browser stays signed in");
}

#[tokio::test]
async fn a_person_who_says_no_goes_back_with_access_denied() {
    let stage = Stage::new().await;
    let consent = stage.consent_page("grace", &[]).await;
    let back = stage.browser.submit(&consent, &[("decision", "deny")]).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER);
    let answer = back.answer();
    assert_eq!(answer["error"], "access_denied");
    assert_eq!(answer["state"], "a state/&=");
    assert_eq!(answer["iss"], stage.simulator.url());
    assert!(!answer.contains_key("code"));
    assert_eq!(stage.simulator.issued_secrets(), Vec::<String>::new());
}

#[tokio::test]
async fn an_unknown_client_or_redirect_ends_on_a_page_and_never_on_a_redirect() {
    let stage = Stage::new().await;
    let cases: [&[(&str, &str)]; 6] = [
        &[("client_id", "stranger")],
        &[("client_id", "")],
        &[("redirect_uri", "http://localhost:8065/complete")],
        &[("redirect_uri", "https://evil.example/")],
        &[("redirect_uri", "")],
        &[("redirect_uri", REDIRECT), ("redirect_uri", REDIRECT)],
    ];
    for change in cases {
        let page = stage.browser.get(&Stage::authorize_path(change)).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{change:?}");
        assert_eq!(page.location(), "", "{change:?}");
        assert!(page.body.contains("This does not work"), "{change:?}");
    }
}

#[tokio::test]
async fn a_faulty_request_of_a_known_client_goes_back_with_the_error() {
    let stage = Stage::new().await;
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "")], "invalid_request"),
        (&[("scope", "")], "invalid_scope"),
        (&[("scope", "a\"b")], "invalid_scope"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge", "no-digest")], "invalid_request"),
        (&[("scope", "a"), ("scope", "b")], "invalid_request"),
    ];
    for (change, error) in cases {
        let back = stage.browser.get(&Stage::authorize_path(change)).await;
        assert_eq!(back.status, StatusCode::SEE_OTHER, "{change:?}");
        assert!(back.location().starts_with(REDIRECT), "{change:?}");
        let answer = back.answer();
        assert_eq!((answer["error"].as_str(), answer["state"].as_str()), (error, "a state/&="), "{change:?}");
    }
    let back = stage.browser.get(&Stage::authorize_path(&[("state", "a"), ("state", "b")])).await;
    assert_eq!(back.answer()["error"], "invalid_request");
    assert!(!back.answer().contains_key("state"), "neither of two states is the one");
}

#[tokio::test]
async fn a_wrong_password_asks_again_and_another_account_can_take_over() {
    let stage = Stage::new().await;
    let sign_in = stage.browser.get(&Stage::authorize_path(&[])).await;
    for (name, password) in [("ada", "wrong"), ("nobody", PASSWORD), ("ada", "")] {
        let refused = stage.browser.submit(&sign_in, &[("username", name), ("password", password)]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(refused.body.contains("do not belong together"));
        assert_eq!(refused.fields()["username"], name);
    }
    let consent = stage.browser.sign_in(&sign_in, "ada", PASSWORD).await;
    let request = &consent.fields()["request"];
    let again = stage.browser.get(&format!("/sign-in?request={request}")).await;
    let consent = stage.browser.sign_in(&again, "grace", PASSWORD).await;
    assert!(consent.body.contains("grace@simulator.example") && !consent.body.contains("ada@"));
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused() {
    let stage = Stage::new().await;
    let consent = stage.consent_page("ada", &[]).await;
    let forged = stage.browser.submit(&consent, &[("csrf", "guess"), ("decision", "approve")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let undecided = stage.browser.submit(&consent, &[]).await;
    assert_eq!(undecided.status, StatusCode::BAD_REQUEST);

    let stranger = Browser::new(stage.simulator.url());
    let elsewhere = stranger.submit(&consent, &[("decision", "approve")]).await;
    assert_eq!(elsewhere.status, StatusCode::BAD_REQUEST, "no session");
    let own = stranger.get(&Stage::authorize_path(&[])).await;
    let own = stranger.sign_in(&own, "grace", PASSWORD).await;
    let other_request = consent.fields()["request"].clone();
    let elsewhere = stranger.submit(&own, &[("request", &other_request), ("decision", "approve")]).await;
    assert_eq!(elsewhere.status, StatusCode::BAD_REQUEST, "another browser's request");
    assert_eq!(stage.simulator.authorizations(), 0);
    let approved = stage.browser.submit(&consent, &[("decision", "approve")]).await;
    assert_eq!(approved.status, StatusCode::SEE_OTHER, "refused forms spend nothing");
}

#[tokio::test]
async fn consent_needs_a_signed_in_person_and_waits_half_an_hour() {
    let stage = Stage::new().await;
    let sign_in = stage.browser.get(&Stage::authorize_path(&[])).await;
    let fields = sign_in.fields();
    let hurried =
        [("request", fields["request"].as_str()), ("csrf", &fields["csrf"]), ("decision", "approve")];
    let page = stage.browser.send(Method::POST, "/consent", &hurried).await;
    assert_eq!((page.status, page.action().as_str()), (StatusCode::OK, "/sign-in"));
    stage.later(1800);
    let late = stage.browser.submit(&sign_in, &[("username", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
    assert_eq!(stage.simulator.authorizations(), 0);
}

#[tokio::test]
async fn signing_in_changes_the_session_so_that_a_planted_one_is_worth_nothing() {
    let stage = Stage::new().await;
    let sign_in = stage.browser.get(&Stage::authorize_path(&[])).await;
    let before = sign_in.header("set-cookie").to_owned();
    let signed_in = stage.browser.submit(&sign_in, &[("username", "ada"), ("password", PASSWORD)]).await;
    assert_ne!(signed_in.header("set-cookie"), before);
    assert!(!signed_in.header("set-cookie").is_empty());
}

#[tokio::test]
async fn hostile_names_are_shown_as_text() {
    let client = "<script>alert(1)</script>\"'&";
    let stage = Stage::with(|builder| builder.client(client, "x", [REDIRECT])).await;
    let scope = "<img/src=x/onerror=alert(1)> '><b>";
    let change = [("client_id", client), ("scope", scope)];
    let sign_in = stage.browser.get(&Stage::authorize_path(&change)).await;
    let tried = "\"><script>alert(2)</script>";
    let wrong = stage.browser.submit(&sign_in, &[("username", tried), ("password", "x")]).await;
    let consent = stage.browser.sign_in(&wrong, "ada", PASSWORD).await;
    for page in [&sign_in, &wrong, &consent] {
        assert!(
            page.body.contains("&#60;script&#62;alert(1)&#60;/script&#62;&#34;&#39;&#38;"),
            "{}",
            page.body
        );
        for raw in ["<script", "<img", "<b>"] {
            assert!(!page.body.contains(raw), "{raw} in {}", page.body);
        }
    }
    assert!(consent.body.contains("&#60;img/src=x/onerror=alert(1)&#62;"));
}

#[tokio::test]
async fn pages_allow_no_script_and_only_the_redirect_that_is_due() {
    let stage = Stage::new().await;
    let consent = stage.consent_page("ada", &[]).await;
    let policy = consent.header("content-security-policy");
    assert_eq!(
        policy,
        "default-src 'none'; style-src 'self'; form-action 'self' http://localhost:8065; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    assert_eq!(consent.header("cache-control"), "no-store");
    assert_eq!(consent.header("referrer-policy"), "no-referrer");
    let problem = stage.browser.get("/authorize").await;
    assert!(problem.header("content-security-policy").contains("form-action 'self';"));
    let style = stage.browser.get("/simulator.css").await;
    assert_eq!((style.status, style.header("content-type")), (StatusCode::OK, "text/css; charset=utf-8"));
}
