//! The chain: each line ends in a keyed hash over the hash before it and its own text.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The hash at the end of a line.
pub(super) type Link = [u8; 32];

/// What stands between a line's text and its hash.
const MARK: &str = ",\"chain\":\"";

/// Keyed once, copied for each line.
pub(super) type Chain = Hmac<Sha256>;

pub(super) fn chain(key: &[u8; 32]) -> Chain {
    // HMAC fills a short key up with zeros to the hash's block (RFC 2104 section 2).
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    Chain::new(&block.into())
}

pub(super) fn link(chain: &Chain, before: &Link, text: &str) -> Link {
    let mut mac = chain.clone();
    mac.update(before);
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Appends the hash to a line's text, which is a JSON object without its closing brace.
pub(super) fn close_line(line: &mut String, link: &Link) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    line.push_str(MARK);
    for byte in link {
        line.push(char::from(DIGITS[usize::from(byte >> 4)]));
        line.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    line.push_str("\"}\n");
}

/// Takes a whole line apart: text and hash.
pub(super) fn open_line(line: &str) -> Option<(&str, Link)> {
    let (text, rest) = line.rsplit_once(MARK)?;
    let hash = rest.strip_suffix("\"}")?;
    let mut link = [0; 32];
    if hash.len() != 64 || !hash.is_ascii() {
        return None;
    }
    for (byte, digits) in link.iter_mut().zip(hash.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some((text, link))
}
