//! One question for all who want to know the same thing at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::platform::Identity;

type Key = [u8; 32];
/// Nothing until whoever asks has an answer.
type Told = Option<Option<Arc<Identity>>>;

/// Questions that are under way, by whose token they are about.
#[derive(Default)]
pub(super) struct Questions(Mutex<HashMap<Key, watch::Receiver<Told>>>);

/// Who asks, and who waits for the answer.
pub(super) enum Turn<'a> {
    Asks(Asking<'a>),
    Waits(watch::Receiver<Told>),
}

/// A question that is under way. It ends when this is dropped, answered or not.
pub(super) struct Asking<'a> {
    questions: &'a Questions,
    key: Key,
    tell: watch::Sender<Told>,
}

impl Questions {
    pub(super) fn join(&self, key: Key) -> Turn<'_> {
        let mut under_way = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(told) = under_way.get(&key) {
            return Turn::Waits(told.clone());
        }
        let (tell, told) = watch::channel(None);
        under_way.insert(key, told);
        Turn::Asks(Asking { questions: self, key, tell })
    }
}

impl Asking<'_> {
    pub(super) fn answered(self, who: Option<Arc<Identity>>) {
        self.tell.send_replace(Some(who));
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.questions.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// The answer of whoever asks; None where they got none, and somebody else must ask.
pub(super) async fn heard(mut told: watch::Receiver<Told>) -> Told {
    told.wait_for(Option::is_some).await.ok()?.clone()
}
