//! Bodies that nobody should send, and what JSON makes of each.

use tessera_testkit::wire::Sent;

/// A body, and what it is.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    pub(crate) name: &'static str,
    pub(crate) sent: Sent,
    /// In bytes.
    pub(crate) size: usize,
    /// Whether it is one JSON value and nothing else.
    pub(crate) json: bool,
    /// Whether its members fit the objects that routes take.
    pub(crate) object: bool,
    /// Whether it never arrives whole.
    pub(crate) cut: bool,
}

impl Body {
    fn new(name: &'static str, bytes: impl Into<Vec<u8>>, json: bool, object: bool) -> Self {
        let bytes = bytes.into();
        Self { name, size: bytes.len(), sent: Sent::Whole(bytes), json, object, cut: false }
    }

    fn long(name: &'static str, size: usize, sent: Sent) -> Self {
        Self { name, sent, size, json: false, object: false, cut: false }
    }
}

const LONG: usize = 100_000_000;

/// The bodies of every cell.
pub(crate) fn all() -> Vec<Body> {
    let sized = |size: usize| {
        let frame = r#"{"client_id":""}"#.len();
        format!(r#"{{"client_id":"{}"}}"#, "a".repeat(size - frame))
    };
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let nested_object = |depth: usize| format!(r#"{{"x":{}}}"#, nested(depth));
    let wrong =
        r#"{"client_id":1,"app_id":2,"path":[],"login_id":{},"channel_id":[],"context":3,"root_id":4}"#;
    vec![
        Body::long("none", 0, Sent::Nothing),
        Body::new("empty", "", false, false),
        Body::new("cut JSON", r#"{"client_id":"#, false, false),
        Body { cut: true, ..Body::long("cut", 2, Sent::Cut(b"{}".to_vec())) },
        Body::new("not UTF-8", b"{\"client_id\":\"\xff\xfe\"}".to_vec(), false, false),
        Body::new("not text", b"\x00\x01\xff\x7f".to_vec(), false, false),
        Body::new("8192 bytes", sized(8192), true, true),
        Body::new("8193 bytes", sized(8193), true, true),
        Body::new("4,000 deep", nested(4_000), true, false),
        Body::new("10,000 deep", nested(10_000), true, false),
        Body::new("100,000 deep", nested(100_000), false, false),
        Body::new("100,000 deep in an object", nested_object(100_000), false, false),
        Body::new("100,000 opened", "{\"a\":".repeat(100_000), false, false),
        Body::new("wrong types", wrong, true, false),
        Body::new("bare string", r#""x""#, true, false),
        Body::new("array", "[]", true, false),
        Body::new("null", "null", true, true),
        Body::new("number", "1", true, false),
        Body::new("object", "{}", true, true),
        Body::new("text", "client_id=1&client_secret=2", false, false),
    ]
}

/// Bodies of 100 MB, for a caller or two of each route.
pub(crate) fn long() -> Vec<Body> {
    vec![
        Body::long("100 MB", LONG, Sent::Long(LONG)),
        Body::long("100 MB in chunks", LONG, Sent::Chunked(LONG)),
    ]
}
