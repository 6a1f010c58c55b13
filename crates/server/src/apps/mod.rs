//! The registry: an installed App, its manifest, what it was granted.
