//! Times as people read them: how long ago or until then, and exactly in UTC.

use time::OffsetDateTime;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A moment in the past, or one ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// “3 minutes ago”, “in 3 minutes”; the date when it is more than a month away.
    pub ago: String,
    /// “25 November 2026, 04:46:30 UTC”.
    pub exact: String,
    /// For machines: RFC 3339, to the second.
    pub machine: String,
}

impl Moment {
    /// The moment `at`, seen from `now`; both in Unix milliseconds. What lies ahead, as clocks may differ, is now.
    pub fn new(at: i64, now: i64) -> Self {
        let past = now.saturating_sub(at).max(0) / 1000;
        Self::told(at, past, ago)
    }

    /// The same of one that is still to come. What has passed is about to happen.
    pub fn ahead(at: i64, now: i64) -> Self {
        let left = at.saturating_sub(now).max(0) / 1000;
        Self::told(at, left, until)
    }

    fn told(at: i64, away: i64, told: fn(i64) -> String) -> Self {
        // Beyond the years that can be written there is nothing to tell anybody.
        let Ok(time) = OffsetDateTime::from_unix_timestamp(at.div_euclid(1000)) else {
            return Self { ago: "at an unknown time".into(), exact: String::new(), machine: String::new() };
        };
        let (hour, minute, second) = time.to_hms();
        let day = format!("{} {} {}", time.day(), time.month(), time.year());
        let number = u8::from(time.month());
        let date = format!("{:04}-{number:02}-{:02}", time.year(), time.day());
        Self {
            ago: if away < 30 * DAY { told(away) } else { format!("on {day}") },
            exact: format!("{day}, {hour:02}:{minute:02}:{second:02} UTC"),
            machine: format!("{date}T{hour:02}:{minute:02}:{second:02}Z"),
        }
    }
}

fn ago(seconds: i64) -> String {
    if seconds < MINUTE { "just now".into() } else { format!("{} ago", length(seconds)) }
}

fn until(seconds: i64) -> String {
    if seconds < MINUTE { "within a minute".into() } else { format!("in {}", length(seconds)) }
}

/// So many seconds, in the largest unit of which there is one: a minute or more.
fn length(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        _ => (seconds / DAY, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_the_largest_unit_that_fits() {
        let now = 1_795_582_000_000;
        let ago = |ms: i64| Moment::new(now - ms, now).ago;
        for (seconds, told) in [
            (-90, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (30 * 86_400 - 1, "29 days ago"),
        ] {
            assert_eq!(ago(seconds * 1000), told, "{seconds}");
        }
        let long_ago = Moment::new(1_704_164_645_999, now);
        assert_eq!(long_ago.ago, "on 2 January 2024");
        assert_eq!(long_ago.exact, "2 January 2024, 03:04:05 UTC");
        assert_eq!(long_ago.machine, "2024-01-02T03:04:05Z");
        assert_eq!(Moment::new(i64::MAX, now).machine, "");
        let ahead = |ms: i64| Moment::ahead(now + ms, now).ago;
        let far = [-5_000, 59_000, 60_000, 7_300_000, 40 * 86_400_000].map(ahead);
        let told = ["within a minute", "within a minute", "in 1 minute", "in 2 hours", "on 4 January 2027"];
        assert_eq!(far, told);
    }
}
