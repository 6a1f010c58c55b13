//! The cookies of a signed-in browser.

use cookie::{Cookie, SameSite, time::Duration};

use super::{SignedIn, Standalone};

/// Holds the session's token; scripts can't read it.
pub const TOKEN_COOKIE: &str = "MMAUTHTOKEN";
/// Holds the user's id, for scripts.
pub const USER_COOKIE: &str = "MMUSERID";
/// Holds what requests that change something must repeat in `X-CSRF-Token`.
pub const CSRF_COOKIE: &str = "MMCSRF";

impl Standalone {
    /// The `Set-Cookie` values that sign a browser in.
    pub fn cookies(&self, signed_in: &SignedIn) -> [String; 3] {
        let life = Duration::milliseconds(self.settings.session_life_ms);
        [
            self.cookie(TOKEN_COOKIE, signed_in.token.expose(), true, life),
            self.cookie(USER_COOKIE, &signed_in.user.id, false, life),
            self.cookie(CSRF_COOKIE, &signed_in.csrf, false, life),
        ]
    }

    /// The `Set-Cookie` values that sign a browser out.
    pub fn no_cookies(&self) -> [String; 3] {
        [(TOKEN_COOKIE, true), (USER_COOKIE, false), (CSRF_COOKIE, false)]
            .map(|(name, http_only)| self.cookie(name, "", http_only, Duration::ZERO))
    }

    fn cookie(&self, name: &'static str, value: &str, http_only: bool, life: Duration) -> String {
        let path = if self.sub_path.is_empty() { "/" } else { &self.sub_path };
        // Plain http is for loopback only (decisions.md section 3.3); browsers drop `Secure` cookies there.
        let secure = self.settings.site_url.scheme() == "https";
        Cookie::build((name, value))
            .path(path)
            .http_only(http_only)
            .secure(secure)
            .same_site(SameSite::Lax)
            .max_age(life)
            .build()
            .to_string()
    }
}
