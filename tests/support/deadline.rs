//! A deadline for everything that is waited for in a test.
//!
//! Not here: sleeping.
#![allow(dead_code, unreachable_pub, reason = "each test that includes it uses a part of it")]

use std::time::Duration;

/// Awaits with a deadline of so many seconds; past it the test fails and says what it waited for.
pub async fn within<T>(seconds: u64, what: &str, wanted: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(seconds), wanted).await {
        Ok(value) => value,
        Err(_) => panic!("waited {seconds} s in vain for: {what}"),
    }
}
