//! The simulator over real HTTP: a browser of sorts on one side, a client on the other.

#[cfg(test)]
mod assertions;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod consent;
#[cfg(test)]
mod control;
#[cfg(test)]
mod device;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod openid;
#[cfg(test)]
mod quirks_callback;
#[cfg(test)]
mod quirks_grant;
#[cfg(test)]
mod quirks_reply;
#[cfg(test)]
mod quirks_request;
#[cfg(test)]
mod quirks_way;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod resources;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod table;
