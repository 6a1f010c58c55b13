//! The simulator over real HTTP: a browser of sorts on one side, a client on the other.

#[cfg(test)]
mod browser;
#[cfg(test)]
mod consent;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod resources;
#[cfg(test)]
mod stage;
