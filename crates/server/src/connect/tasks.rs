//! Work that a closed tab must not cancel, and that a shutdown waits for.

use std::future::Future;

use tokio::sync::watch;

use crate::trail;

/// Counts what is under way.
#[derive(Debug, Clone)]
pub struct Tasks {
    under_way: watch::Sender<usize>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self { under_way: watch::Sender::new(0) }
    }
}

/// Counts down also when the task panics.
struct Ended(watch::Sender<usize>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Tasks {
    /// Runs the work in a task of its own and waits for it. Who waits may go away: the work goes on. `None` when
    /// the work panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        self.under_way.send_modify(|count| *count += 1);
        let ended = Ended(self.under_way.clone());
        let task = tokio::spawn(trail::carried(async move {
            let _ended = ended;
            work.await
        }));
        task.await.ok()
    }

    /// How many pieces of work are under way.
    pub fn under_way(&self) -> usize {
        *self.under_way.borrow()
    }

    /// Waits until nothing is under way.
    pub async fn drained(&self) {
        let mut watching = self.under_way.subscribe();
        // The sender is ours: it cannot be gone.
        let _ = watching.wait_for(|count| *count == 0).await;
    }
}
