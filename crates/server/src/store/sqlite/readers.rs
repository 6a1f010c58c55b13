//! A few threads with a read-only connection each, fed from one queue, so that a slow read delays nobody
//! who comes after it.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::exec::execute;
use crate::store::{Error, Row, Statement};

/// Reads that may wait; more wait outside, in their own tasks.
const QUEUE: usize = 1024;

struct Job {
    statement: Statement,
    answer: oneshot::Sender<Result<Vec<Row>, Error>>,
}

/// The sending side of the reader threads. Dropping it waits until their connections are closed.
pub(super) struct Readers {
    queue: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts one thread per connection.
    pub(super) fn start(connections: Vec<Connection>, name: &str) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        let mut readers = Self { queue: Some(queue), threads: Vec::new() };
        for connection in connections {
            let jobs = Arc::clone(&jobs);
            let thread = std::thread::Builder::new().name(format!("{name}-read"));
            readers.threads.push(thread.spawn(move || run(&connection, &jobs))?);
        }
        Ok(readers)
    }

    pub(super) async fn run(&self, statement: Statement) -> Result<Vec<Row>, Error> {
        let queue = self.queue.as_ref().ok_or(Error::Closed)?;
        let (answer, answered) = oneshot::channel();
        queue.send(Job { statement, answer }).await.map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, jobs: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        // One thread waits in the queue, the others for the lock; work is done outside of it.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        let Some(job) = job else { return };
        if job.answer.is_closed() {
            continue;
        }
        let rows = execute(connection, &job.statement).map(|written| written.rows);
        let _ = job.answer.send(rows);
    }
}
