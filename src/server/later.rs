//! A value that is not needed to decide, and comes when it is ready.
//!
//! Findings and the audit trail take longer than a law book may wait to be served. They belong to one snapshot all the
//! same: whoever asks for them waits for those of the snapshot that answers.

use std::time::Duration;

use tokio::sync::SetOnce;

/// A value that is set once, after the snapshot that holds it is already being served.
#[derive(Debug, Default)]
pub struct Later<T>(SetOnce<T>);

impl<T> Later<T> {
    /// A value that is still to come.
    pub fn pending() -> Self {
        Self(SetOnce::new())
    }

    /// A value that is there.
    pub fn ready(value: T) -> Self {
        Self(SetOnce::new_with(Some(value)))
    }

    /// Sets the value. The first one counts.
    pub fn set(&self, value: T) {
        let _: Result<(), _> = self.0.set(value);
    }

    /// The value, if it is there.
    pub fn get(&self) -> Option<&T> {
        self.0.get()
    }

    /// The value, once it is there; `None` when that takes longer than `limit`.
    pub async fn wait(&self, limit: Duration) -> Option<&T> {
        tokio::time::timeout(limit, self.0.wait()).await.ok()
    }
}
