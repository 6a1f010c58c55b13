//! The append-only record of who touched which secret; a failed write refuses the act.
