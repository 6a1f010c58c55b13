//! Whom outgoing connections trust: the public authorities, and those that the machine trusts besides.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// TLS by ring. The public authorities are compiled in, so that an App runs on a machine that has none installed;
/// an administrator's own are taken from the machine.
pub(super) fn config() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    // What cannot be read is not trusted, which fails where it matters, with the server's name in the error.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
