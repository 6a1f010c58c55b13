//! Root key, data keys, [`Sealed`]; seal and open with associated data. Only this room opens a `Sealed`.
