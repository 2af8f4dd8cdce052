//! A text that is made at most once a second, however many ask for it.
//!
//! Not here: what stands in it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

/// For so long the same is told.
const FOR: Duration = Duration::from_secs(1);

/// When it was made, and the text.
type Told = (Instant, Arc<str>);

/// See the head of this file.
#[derive(Clone, Debug)]
pub(super) struct Kept(Arc<watch::Sender<Option<Told>>>);

impl Default for Kept {
    fn default() -> Self {
        Self(Arc::new(watch::channel(None).0))
    }
}

impl Kept {
    /// What was told last, or what is made now.
    pub(super) fn text(&self, now: Instant, make: impl FnOnce() -> Value) -> Arc<str> {
        let young = self.0.borrow().as_ref().filter(|(at, _)| now.saturating_duration_since(*at) < FOR).cloned();
        if let Some((_, text)) = young {
            return text;
        }
        let text: Arc<str> = format!("{}\n", make()).into();
        self.0.send_replace(Some((now, Arc::clone(&text))));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_made_once_a_second_however_many_ask() {
        let (kept, start) = (Kept::default(), Instant::now());
        let mut made = 0;
        for after_ms in (0..3000).step_by(10) {
            let text = kept.clone().text(start + Duration::from_millis(after_ms), || {
                made += 1;
                Value::from(made)
            });
            assert_eq!(*text, format!("{}\n", after_ms / 1000 + 1));
        }
        assert_eq!(made, 3);
    }
}
