//! Times as people read them: how long ago, and exactly in UTC.

use time::OffsetDateTime;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A moment in the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// “3 minutes ago”; the date when it was more than a month ago.
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
        // Beyond the years that can be written there is nothing to tell anybody.
        let Ok(time) = OffsetDateTime::from_unix_timestamp(at.div_euclid(1000)) else {
            return Self { ago: "at an unknown time".into(), exact: String::new(), machine: String::new() };
        };
        let (hour, minute, second) = time.to_hms();
        let day = format!("{} {} {}", time.day(), time.month(), time.year());
        let number = u8::from(time.month());
        let date = format!("{:04}-{number:02}-{:02}", time.year(), time.day());
        Self {
            ago: if past < 30 * DAY { ago(past) } else { format!("on {day}") },
            exact: format!("{day}, {hour:02}:{minute:02}:{second:02} UTC"),
            machine: format!("{date}T{hour:02}:{minute:02}:{second:02}Z"),
        }
    }
}

/// So many seconds, in the largest unit of which there is one.
fn ago(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..MINUTE => return "just now".into(),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        _ => (seconds / DAY, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
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
    }
}
