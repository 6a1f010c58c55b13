//! What the tests at the front door share: a client that sends any bytes it likes, the server as a child process
//! and within this one, and a site with people and Apps.

pub(crate) mod child;
pub(crate) mod site;
pub(crate) mod wire;
pub(crate) mod within;
