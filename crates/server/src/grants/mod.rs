//! App credentials and connections: put, get, disconnect.
