//! Where a browser goes after it signed in: to a path on this site, and nowhere else (OS-18).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters of RFC 3986 section 2.3.
const QUERY_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The longest address that is taken along.
const LONGEST: usize = 4_096;

/// The address again if it is a plain path on this site, with or without a query. It must be in the form that
/// browsers send: no byte that some parser would read in a way of its own is let through.
pub fn safe_return(address: &str) -> Option<&str> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let plain = address.len() <= LONGEST
        && address.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'))
        && path.starts_with('/')
        && !path.contains("//")
        && !path.split('/').any(is_dot_segment)
        && !escapes_structure(path);
    plain.then_some(address)
}

fn is_dot_segment(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// `%2f`, `%5c` and control characters, which a careless proxy would decode before it reads the path.
fn escapes_structure(path: &str) -> bool {
    path.split('%').skip(1).any(|rest| {
        let code = rest.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        code.is_none_or(|byte| byte.is_ascii_control() || matches!(byte, b'/' | b'\\' | b'%'))
    })
}

pub(super) fn sign_in_url(sub_path: &str, return_to: &str) -> String {
    format!("{sub_path}/login?return_to={}", utf8_percent_encode(return_to, QUERY_VALUE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_18_only_plain_paths_of_this_site_are_returned_to() {
        for safe in [
            "/",
            "/plugins/com.mattermost.apps/apps/hello-oauth2/oauth2/remote/connect",
            "/chat/plugins/com.mattermost.apps/apps/a.b-c_d/oauth2/remote/connect?x=1&y=https%3A%2F%2Fa",
            "/a?next=https://evil.example//x",
            "/a%20b",
            "/@evil.example",
            "/...",
        ] {
            assert_eq!(safe_return(safe), Some(safe), "{safe}");
        }
        let hosts =
            ["evil.example", "evil.example:80", "user@evil.example", "[::1]", "2130706433", "localhost"];
        let before = [
            "//",
            "///",
            "////",
            "/\\",
            "\\\\",
            "\\/",
            "/\\/",
            "\\",
            "/\t/",
            "/\n/",
            "/\r/",
            "\t//",
            " //",
            "http://",
            "https://",
            "HTTPS://",
            "https:",
            "https:/",
            "https:\\\\",
            "http:/\\",
            "ftp://",
            "ws://",
            "javascript://",
            "data:",
            "view-source:https://",
            "/%2f",
            "/%2F",
            "/%5c",
            "/%5C",
            "/%2f%2f",
            "/./",
            "/.//",
            "/..//",
            "/../",
            "/%2e/",
            "/%2E%2e//",
            "/a/..//",
            "/%09/",
            "/%0a/",
            "/%0d%0aLocation:",
            "/%00/",
            "/%25%32%66",
            "@",
            "",
            ".",
            "..",
            "?",
            "#",
            "/\u{2028}/",
            "/\u{ff0f}",
            "\u{ff0f}\u{ff0f}",
            "/\u{7f}/",
            "/\u{0}/",
            "/ /",
            "/<",
            "/%zz",
            "/%/",
        ];
        let mut refused = 0;
        for host in hosts {
            for start in before {
                let address = format!("{start}{host}");
                assert_eq!(safe_return(&address), None, "{address:?}");
                refused += 1;
            }
        }
        assert!(refused >= 200, "{refused}");
        assert_eq!(safe_return("/%"), None);
        assert_eq!(safe_return(&format!("/{}", "a".repeat(LONGEST))), None);
    }

    #[test]
    fn the_way_back_is_one_query_value() {
        assert_eq!(
            sign_in_url("/chat", "/chat/a?b=c&d=é"),
            "/chat/login?return_to=/chat/a%3Fb%3Dc%26d%3D%C3%A9"
        );
        assert_eq!(sign_in_url("", "/"), "/login?return_to=/");
    }
}
