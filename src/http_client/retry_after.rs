//! How long an answer asks to wait: the header `Retry-After`, whoever sent it.
//!
//! Not here: how much of it is waited.

use std::time::{Duration, SystemTime};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest wait that is read, in seconds: nobody counts further (RFC 9111, 1.2.2).
const WAIT_MAX: u64 = 1 << 31;

/// The two older forms of a date, without the day of the week before them.
const OLDER_DATES: [&str; 2] = ["%d-%b-%y %H:%M:%S GMT", "%b %d %H:%M:%S %Y"];

/// The wait that an answer asks for, counted from `now`: seconds, or a date in one of the three forms that HTTP allows (RFC 9110,
/// 10.2.3 and 5.6.7). A part of a second is a whole one; a date in the past is no wait; nonsense is ignored.
pub(crate) fn retry_after(head: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = head.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return seconds(text).map(Duration::from_secs);
    }
    let wait = date(text)?.duration_since(jiff::Timestamp::try_from(now).ok()?);
    Some(wait.try_into().unwrap_or_default())
}

/// Whole seconds, or the next whole ones after a decimal.
fn seconds(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(part) {
        return None;
    }
    let is_more = part.bytes().any(|digit| digit != b'0');
    Some(whole.parse().unwrap_or(WAIT_MAX).saturating_add(u64::from(is_more)).min(WAIT_MAX))
}

/// A date as servers write it today, or in one of the two forms from before.
fn date(text: &str) -> Option<jiff::Timestamp> {
    let today = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    today.or_else(|| {
        let (_, rest) = text.split_once(' ')?;
        let read = OLDER_DATES.iter().find_map(|form| DateTime::strptime(form, rest.trim()).ok())?;
        TimeZone::UTC.to_timestamp(read).ok()
    })
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    /// The wait read from a header, one day after the epoch.
    fn wait(header: &str) -> Option<Duration> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(86_400);
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(header).unwrap())]), now)
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_the_part_of_a_second_counts_as_a_whole_one() {
        for (text, seconds) in [("120", 120), ("0", 0), ("0.0", 0), ("1.5", 2), ("0.001", 1), ("30.000", 30)] {
            assert_eq!(wait(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(wait("99999999999999999999999"), Some(Duration::from_secs(1 << 31)), "as long as anybody counts");
    }

    #[test]
    fn retry_after_is_read_in_all_three_forms_of_a_date() {
        let forms = [
            "Fri, 02 Jan 1970 00:00:30 GMT",
            "Friday, 02-Jan-70 00:00:30 GMT",
            "Fri Jan  2 00:00:30 1970",
            "Fri Jan 02 00:00:30 1970",
        ];
        for form in forms {
            assert_eq!(wait(form), Some(Duration::from_secs(30)), "{form}");
        }
        for past in ["Thu, 01 Jan 1970 00:00:00 GMT", "Sunday, 01-Jan-69 00:00:00 GMT", "Thu Jan  1 00:00:00 1970"] {
            assert_eq!(wait(past), Some(Duration::ZERO), "a date in the past is no wait: {past}");
        }
    }

    #[test]
    fn a_wait_that_is_none_is_ignored() {
        let nonsense =
            ["", "soon", "-5", "+5", "1.", ".5", "1.5.5", "1e3", "5 s", "Fri, 99 Jan 1970 00:00:30 GMT", "Fri Jan"];
        for nonsense in nonsense {
            assert_eq!(wait(nonsense), None, "{nonsense:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), SystemTime::UNIX_EPOCH), None);
    }
}
