//! The search: each secret in every form in which it could be written down by mistake.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

/// The first bytes of a needle, by which a place where it may stand is found quickly.
const KEY: usize = 8;

/// A search for several secrets at once.
pub(crate) struct Scan {
    needles: Vec<Needle>,
    starts: HashMap<u64, Vec<usize>>,
    /// By the last two bytes of a key, whether there is such a key: most places are passed by with one look.
    likely: Vec<bool>,
}

struct Needle {
    secret: String,
    form: &'static str,
    bytes: Vec<u8>,
}

/// A text in the forms that stand for themselves wherever they are.
pub(crate) fn written(secret: &str) -> Vec<(&'static str, String)> {
    let hex = |upper: bool| {
        let pair = |byte: u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
        secret.bytes().map(pair).collect::<String>()
    };
    let percent = |upper: bool| {
        let escape = |byte: u8| match byte {
            byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
            byte if upper => format!("%{byte:02X}"),
            byte => format!("%{byte:02x}"),
        };
        secret.bytes().map(escape).collect::<String>()
    };
    let json = Value::from(secret).to_string();
    let unicode = json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    let html = |quote: &str| {
        let text = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text.replace('"', quote)
    };
    let number = |character| match character {
        '&' | '<' | '>' | '"' | '\'' => format!("&#{};", u32::from(character)),
        character => character.to_string(),
    };
    let numbered = secret.chars().map(number).collect();
    let inner = |text: &str| text[1..text.len() - 1].to_owned();
    let bytes = secret.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>();
    vec![
        ("plain", secret.to_owned()),
        ("hex", hex(false)),
        ("HEX", hex(true)),
        ("percent", percent(true)),
        ("percent, lower case", percent(false)),
        ("form", percent(true).replace("%20", "+")),
        ("JSON", inner(&json)),
        ("JSON as Go writes it", inner(&unicode)),
        ("JSON in JSON", inner(&Value::from(inner(&json)).to_string())),
        ("debug", inner(&format!("{secret:?}"))),
        ("HTML", html("&quot;")),
        ("HTML, quotes by number", html("&#34;")),
        ("HTML, by number", numbered),
        ("bytes", bytes.join(", ")),
        ("bytes, close", bytes.join(",")),
    ]
}

/// Base64 of bytes, standard and URL-safe.
pub(crate) fn base64_of(bytes: &[u8]) -> [String; 2] {
    let standard = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let word =
            three.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            text.push(char::from(standard[(word >> (18 - 6 * place)) as usize & 63]));
        }
    }
    let safe = text.replace('+', "-").replace('/', "_");
    [text, safe]
}

/// The characters of base64 that depend on nothing but the secret, when it stands behind `before` bytes.
fn core(secret: &str, before: usize) -> [String; 2] {
    let mut bytes = vec![0; before];
    bytes.extend_from_slice(secret.as_bytes());
    let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
    base64_of(&bytes).map(|text| text[from..to].to_owned())
}

impl Scan {
    /// For these secrets, each with its name.
    pub(crate) fn of(secrets: &[(String, String)]) -> Self {
        let mut distinct = BTreeMap::new();
        for (name, secret) in secrets {
            assert!(secret.len() >= 2 * KEY, "{name} is too short to be told from chance");
            for (form, text) in written(secret) {
                distinct.entry(text.into_bytes()).or_insert((name.clone(), form));
            }
            for before in 0..3 {
                for text in core(secret, before) {
                    distinct.entry(text.into_bytes()).or_insert((name.clone(), "base64"));
                }
            }
        }
        let needles = distinct.into_iter().map(|(bytes, (secret, form))| Needle { secret, form, bytes });
        let needles: Vec<_> = needles.collect();
        let (mut starts, mut likely) = (HashMap::<_, Vec<_>>::new(), vec![false; 1 << 16]);
        for (index, needle) in needles.iter().enumerate() {
            let key = needle.bytes[..KEY].iter().fold(0, |key, byte| key << 8 | u64::from(*byte));
            likely[key as usize & 0xffff] = true;
            starts.entry(key).or_default().push(index);
        }
        Self { needles, starts, likely }
    }

    /// What of it is in there: secret and form, with a bit of what stands before.
    pub(crate) fn search(&self, bytes: &[u8]) -> Vec<String> {
        let hit = |(at, needle): (usize, &Needle)| {
            let before = String::from_utf8_lossy(&bytes[at.saturating_sub(60)..at]).into_owned();
            format!("{} ({}) at {at} behind {before:?}", needle.secret, needle.form)
        };
        self.find(bytes).map(hit).collect()
    }

    /// How often a secret is in there.
    pub(crate) fn hits(&self, bytes: &[u8], secret: &str) -> usize {
        self.find(bytes).filter(|(_, needle)| needle.secret == secret).count()
    }

    fn find<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (usize, &'a Needle)> {
        let mut key = 0u64;
        bytes.iter().enumerate().flat_map(move |(at, byte)| {
            key = key << 8 | u64::from(*byte);
            let candidates = match self.likely[key as usize & 0xffff] && at + 1 >= KEY {
                true => self.starts.get(&key).map_or(&[][..], Vec::as_slice),
                false => &[],
            };
            let start = (at + 1).saturating_sub(KEY);
            let stands = move |needle: &&Needle| bytes[start..].starts_with(&needle.bytes);
            candidates
                .iter()
                .map(|index| &self.needles[*index])
                .filter(stands)
                .map(move |needle| (start, needle))
        })
    }
}
