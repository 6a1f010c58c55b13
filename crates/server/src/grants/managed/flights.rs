//! One refresh of one grant at a time in this process, whoever waits for it.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};

use super::refresh::Outcome;
use crate::trail;

/// App and user.
type Place = (String, String);
type Flight = Shared<BoxFuture<'static, Outcome>>;

/// Refreshes that are under way.
#[derive(Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<Place, Flight>>>);

/// Takes the flight off the list also when its task panics.
struct Landed(Arc<Mutex<HashMap<Place, Flight>>>, Place);

impl Drop for Landed {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl Flights {
    /// Joins the refresh that is under way, or begins one in a task of its own: who waits may go away.
    pub(super) async fn join<F>(&self, app: &str, user: &str, begin: impl FnOnce() -> F) -> Outcome
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        let place = (app.to_owned(), user.to_owned());
        let flight = {
            let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match flights.get(&place) {
                Some(flight) => flight.clone(),
                None => {
                    let landed = Landed(Arc::clone(&self.0), place.clone());
                    let work = begin();
                    let task = tokio::spawn(trail::carried(async move {
                        let _landed = landed;
                        work.await
                    }));
                    let flight = task.map(|done| done.unwrap_or(Outcome::Died)).boxed().shared();
                    flights.insert(place, flight.clone());
                    flight
                }
            }
        };
        flight.await
    }

    /// Waits until none is under way.
    pub(super) async fn all_landed(&self) {
        loop {
            let flight = self.0.lock().unwrap_or_else(PoisonError::into_inner).values().next().cloned();
            match flight {
                Some(flight) => flight.await,
                None => return,
            };
        }
    }
}
