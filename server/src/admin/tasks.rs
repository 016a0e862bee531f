//! Work that outlives the request that began it: owned, so that it can be waited for and stopped.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The tasks of a door.
#[derive(Clone, Debug, Default)]
pub struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    /// Begins a task.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that have ended are forgotten here, so that the set does not grow.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    /// Does `work` to its end, even if whoever waits for the answer goes away; nothing when it was
    /// stopped.
    pub(crate) async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.spawn(async move {
            // Nobody is left to be told.
            let _gone = answer.send(work.await);
        });
        answered.await.ok()
    }

    /// Waits for all of them, at most so long; then stops the rest.
    pub(crate) async fn end(&self, patience: Duration) {
        let mut tasks = {
            let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        let all = async { while tasks.join_next().await.is_some() {} };
        if timeout(patience, all).await.is_err() {
            tasks.shutdown().await;
        }
    }
}
