//! For testing an App alone, without a server: [`call()`] builds call requests as the server sends them,
//! signed if need be, and [`FakeService`] answers what the App's [`Client`](crate::Client) asks.

mod call;
mod fake;
mod managed;
mod routes;
mod state;

pub use call::{TestCall, Unanswered, call};
pub use fake::{FakeService, Recorded};
