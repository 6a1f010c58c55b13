//! The only outgoing HTTP client: TLS, resolver rules, no redirects, deadlines, size caps.
