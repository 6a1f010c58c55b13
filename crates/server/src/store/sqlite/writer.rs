//! Group commit: one thread owns the writing connection and shares each sync among all who wait.
//!
//! It takes everything that is queued (up to [`BATCH`]), opens one transaction, runs each request isolated
//! from its neighbours, commits once and only then answers, so an answer means durable.

use std::thread::JoinHandle;

use prometheus_client::metrics::histogram::Histogram;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::exec::execute;
use crate::store::{Error, Statement, Written};

/// The most requests that share one commit. It bounds how long the first of them waits for the last.
const BATCH: usize = 512;

/// Requests that may wait; more wait outside, in their own tasks.
const QUEUE: usize = 4 * BATCH;

type Answer = Result<Vec<Written>, Error>;

struct Job {
    statements: Vec<Statement>,
    answer: oneshot::Sender<Answer>,
}

/// The sending side of the writer thread. Dropping it waits until what was queued is committed and the
/// connection is closed.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread, which tells `batches` how many shared each commit.
    pub(super) fn start(connection: Connection, name: &str, batches: Histogram) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name(format!("{name}-write"))
            .spawn(move || run(&connection, jobs, &batches))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Runs the statements in one transaction and answers when it is on disk.
    pub(super) async fn run(&self, statements: Vec<Statement>) -> Answer {
        let queue = self.queue.as_ref().ok_or(Error::Closed)?;
        let (answer, answered) = oneshot::channel();
        queue.send(Job { statements, answer }).await.map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by its own thread; there is nobody to tell here.
            let _ = thread.join();
        }
    }
}

fn run(connection: &Connection, mut jobs: mpsc::Receiver<Job>, batches: &Histogram) {
    let mut batch = Vec::with_capacity(BATCH);
    while let Some(first) = jobs.blocking_recv() {
        batch.push(first);
        while batch.len() < BATCH {
            match jobs.try_recv() {
                Ok(job) => batch.push(job),
                Err(_) => break,
            }
        }
        // A batch is at most [`BATCH`] long.
        batches.observe(batch.len() as f64);
        commit(connection, &mut batch);
    }
}

/// One transaction for the whole batch, then the answers.
fn commit(connection: &Connection, batch: &mut Vec<Job>) {
    let mut answers = Vec::with_capacity(batch.len());
    let outcome = in_transaction(connection, batch, &mut answers);
    if outcome.is_err() && !connection.is_autocommit() {
        let _ = command(connection, "ROLLBACK");
    }
    match outcome {
        Ok(()) => {
            for (job, answer) in batch.drain(..).zip(answers) {
                // Nobody listens when the asking task was dropped; what it asked for is done all the same.
                let _ = job.answer.send(answer);
            }
        }
        Err(error) => {
            for job in batch.drain(..) {
                let _ = job.answer.send(Err(error.clone()));
            }
        }
    }
}

/// An error here means that nothing of the batch was stored.
fn in_transaction(connection: &Connection, batch: &[Job], answers: &mut Vec<Answer>) -> Result<(), Error> {
    command(connection, "BEGIN IMMEDIATE")?;
    for job in batch {
        let answer = isolated(connection, &job.statements);
        if let Err(error) = &answer
            && connection.is_autocommit()
        {
            // A full disk or an input/output error rolled the whole transaction back, neighbours included.
            return Err(error.clone());
        }
        answers.push(answer);
    }
    command(connection, "COMMIT")
}

/// Runs one request so that its failure undoes it alone. SQLite does that by itself for one statement.
fn isolated(connection: &Connection, statements: &[Statement]) -> Answer {
    if let [only] = statements {
        return Ok(vec![execute(connection, only)?]);
    }
    command(connection, "SAVEPOINT request")?;
    match statements.iter().map(|statement| execute(connection, statement)).collect::<Answer>() {
        Ok(written) => {
            command(connection, "RELEASE request")?;
            Ok(written)
        }
        Err(error) => {
            if !connection.is_autocommit() {
                command(connection, "ROLLBACK TO request")?;
                command(connection, "RELEASE request")?;
            }
            Err(error)
        }
    }
}

fn command(connection: &Connection, sql: &str) -> Result<(), Error> {
    connection.prepare_cached(sql)?.raw_execute()?;
    Ok(())
}
