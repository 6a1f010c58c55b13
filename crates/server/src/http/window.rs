//! Windows that are no browser: those of Mattermost's own programs, and the views that other programs show pages in. Providers
//! refuse to sign anybody in there (RFC 8252 section 8.12), so people are sent on to a browser before anything begins.

use axum::http::{HeaderMap, header};
use axum::response::Response;
use tessera_types::routes;

use super::House;
use super::pages::{self, wants_page};
use crate::web::Outside;

/// What follows an address that was opened from such a window: in the browser somebody else may be signed in, so its owner is
/// always asked there who they are. It opens nothing by itself.
const HANDED_OVER: &str = "from=window";

/// Which kind of window asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A browser, or a program that is none and needs no page.
    Browser,
    /// Mattermost's desktop app. It opens a link of a new window in the system's browser.
    Desktop,
    /// What another program shows a page in.
    View,
}

fn kind(headers: &HeaderMap) -> Kind {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // Windows of its plugins leave Electron's name out, so that the app's own is what counts.
    if agent.contains("Mattermost/") {
        return Kind::Desktop;
    }
    let named = VIEWS.iter().any(|word| agent.contains(word));
    // Every browser that is built on WebKit ends with this word, for old pages' sake; Apple's bare views do not.
    let apple = ["iPhone", "iPad", "iPod", "Macintosh"].iter().any(|device| agent.contains(device));
    let bare = apple && agent.contains("AppleWebKit/") && !agent.contains("Safari/");
    if named || bare { Kind::View } else { Kind::Browser }
}

/// What they say of themselves: Android's view, programs made with Electron, Mattermost's mobile app, and those who show
/// links of their users' in windows of their own.
const VIEWS: [&str; 10] = [
    "; wv)",
    "Electron/",
    "Mattermost Mobile",
    "MattermostMobile",
    "FBAN/",
    "FBAV/",
    "Instagram ",
    " Line/",
    "MicroMessenger/",
    "LinkedInApp",
];

/// The page that leads from such a window to a browser, to `path` of ours; None for everybody who need not leave. The address is
/// all that goes over: no token, and nothing of this window's session.
pub(super) fn leave(house: &House, headers: &HeaderMap, path: &str) -> Option<Response> {
    let by_person = wants_page(headers) && !headers.contains_key(header::AUTHORIZATION);
    let kind = if by_person { kind(headers) } else { Kind::Browser };
    let opens = match kind {
        Kind::Browser => return None,
        Kind::Desktop => true,
        Kind::View => false,
    };
    let address = format!("{}{path}", house.settings.site_url.origin().ascii_serialization());
    Some(pages::respond(Outside::page(&address, opens, house.settings.site_url.as_str())))
}

/// A connect address, as it is opened in a browser.
pub(super) fn handed_over(path: &str) -> String {
    format!("{path}?{HANDED_OVER}")
}

/// The same of where somebody goes back to after they signed in: nothing but the begin of a connection is handed over.
pub(super) fn handed_on(return_to: &str) -> Option<String> {
    let path = return_to.split('?').next().unwrap_or_default();
    path.ends_with(routes::CONNECT).then(|| handed_over(path))
}

/// Whether the browser was handed this address by a window.
pub(super) fn is_handed_over(query: Option<&str>) -> bool {
    query.unwrap_or_default().split('&').any(|pair| pair == HANDED_OVER)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(agent: &str) -> Kind {
        kind(&HeaderMap::from_iter([(header::USER_AGENT, HeaderValue::from_str(agent).unwrap())]))
    }

    #[test]
    fn windows_of_programs_are_known_by_what_they_say() {
        for agent in [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.227 Electron/28.1.4 Safari/537.36 Mattermost/5.7.0",
            // A plugin's window: without Electron's name.
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0.5615.165 Safari/537.36 Mattermost/5.3.1",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/132.0.6834.83 Electron/34.0.1 Safari/537.36 Mattermost/5.11.0",
        ] {
            assert_eq!(of(agent), Kind::Desktop, "{agent}");
        }
        for agent in [
            "Mattermost Mobile/2.22.0+563 (Android; 14; Pixel 7)",
            "Mozilla/5.0 (Linux; Android 13; Pixel 7 Build/TQ3A.230805.001; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/420.0.0.32.71;FBBV/489054354;FBDV/iPhone14,5]",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Slack/4.35.126 Chrome/118.0.5993.89 Electron/27.0.2 Safari/537.36",
        ] {
            assert_eq!(of(agent), Kind::View, "{agent}");
        }
    }

    #[test]
    fn a_browser_is_taken_for_one() {
        for agent in [
            "",
            "curl/8.5.0",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131.0.6778.73 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/133.0 Mobile/15E148 Safari/605.1.15",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            "Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
        ] {
            assert_eq!(of(agent), Kind::Browser, "{agent}");
        }
    }
}
