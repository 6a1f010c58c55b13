//! What a request says for itself when only a cookie says who asks: browsers send cookies also where another site
//! made them (OS-57).

use axum::http::{HeaderMap, Method, header};

use crate::platform::CsrfProof;

/// The proof of a cookie's request. A bearer token needs none, for no other site can send it.
///
/// Three things are asked of a request that changes something. It must carry what no form can: the session's token in
/// `X-CSRF-Token` or, weaker, `X-Requested-With: XMLHttpRequest`. The browser must not say that it comes from another
/// site. And its body must not be one that a form can send; `text/plain`, which a script's text is by default, will do
/// with the token. No content type at all is fine.
pub(super) fn of<'a>(method: &Method, headers: &'a HeaderMap) -> CsrfProof<'a> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if matches!(*method, Method::GET | Method::HEAD) {
        return CsrfProof::Safe;
    }
    if is_of_another_site(headers) {
        return CsrfProof::Missing;
    }
    let body = kind(headers);
    if body == Kind::Form {
        return CsrfProof::Missing;
    }
    if let Some(token) = text("x-csrf-token").filter(|token| !token.is_empty()) {
        CsrfProof::Token(token)
    } else if text("x-requested-with") == Some("XMLHttpRequest") && body != Kind::Text {
        CsrfProof::XmlHttpRequest
    } else {
        CsrfProof::Missing
    }
}

/// Whether the browser says that another site made the request, were it only a neighbour. What says nothing is no
/// browser of these years.
pub(super) fn is_of_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}

/// What a body says it is.
#[derive(PartialEq, Eq)]
enum Kind {
    /// Nothing that a form sends.
    Other,
    /// What both forms and scripts send.
    Text,
    /// What forms alone send.
    Form,
}

fn kind(headers: &HeaderMap) -> Kind {
    let kinds = headers.get_all(header::CONTENT_TYPE).iter().map(|value| {
        let essence = value.as_bytes().split(|byte| matches!(byte, b';' | b',')).next().unwrap_or_default();
        match essence.trim_ascii().to_ascii_lowercase().as_slice() {
            b"application/x-www-form-urlencoded" | b"multipart/form-data" => Kind::Form,
            b"text/plain" => Kind::Text,
            _ => Kind::Other,
        }
    });
    kinds.fold(Kind::Other, |worst, kind| match (worst, kind) {
        (Kind::Form, _) | (_, Kind::Form) => Kind::Form,
        (Kind::Text, _) | (_, Kind::Text) => Kind::Text,
        _ => Kind::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(headers: &[(&'static str, &'static str)]) -> &'static str {
        let headers = headers.iter().map(|(name, value)| {
            (axum::http::HeaderName::from_static(name), axum::http::HeaderValue::from_static(value))
        });
        let headers: HeaderMap = headers.collect();
        match of(&Method::POST, &headers) {
            CsrfProof::Safe => "safe",
            CsrfProof::Token("t") => "token",
            CsrfProof::Token(_) => "another token",
            CsrfProof::XmlHttpRequest => "script",
            CsrfProof::Missing => "missing",
        }
    }

    #[test]
    fn os_57_what_a_form_can_send_proves_nothing() {
        let (token, script) = (("x-csrf-token", "t"), ("x-requested-with", "XMLHttpRequest"));
        let kind = |kind| ("content-type", kind);
        for (headers, expected) in [
            (vec![], "missing"),
            (vec![kind("application/json")], "missing"),
            (vec![token], "token"),
            (vec![token, kind("application/json; charset=utf-8")], "token"),
            (vec![token, kind("text/plain;charset=UTF-8")], "token"),
            (vec![token, kind("application/x-www-form-urlencoded")], "missing"),
            (vec![token, kind("Multipart/Form-Data; boundary=x")], "missing"),
            (vec![script], "script"),
            (vec![script, kind("application/json")], "script"),
            (vec![script, kind("text/plain")], "missing"),
            (vec![script, kind("TEXT/PLAIN ;charset=UTF-8")], "missing"),
            (vec![script, kind("text/plain, application/json")], "missing"),
            (vec![script, kind("application/x-www-form-urlencoded;a=b")], "missing"),
            (vec![("x-requested-with", "fetch")], "missing"),
            (vec![("x-csrf-token", "")], "missing"),
            (vec![("x-csrf-token", ""), script], "script"),
            (vec![token, ("sec-fetch-site", "same-origin")], "token"),
            (vec![token, ("sec-fetch-site", "none")], "token"),
            (vec![token, ("sec-fetch-site", "same-site")], "missing"),
            (vec![token, ("sec-fetch-site", "cross-site")], "missing"),
            (vec![script, ("sec-fetch-site", "")], "missing"),
        ] {
            assert_eq!(proof(&headers), expected, "{headers:?}");
        }
        let nothing = HeaderMap::new();
        assert!(matches!(of(&Method::GET, &nothing), CsrfProof::Safe));
    }
}
