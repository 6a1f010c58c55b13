//! Whom we trust: the public authorities and the operator's own. There is no way to skip the check (OS-21).

use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::BuildError;

/// TLS 1.2 and 1.3 with certificate checks, in one implementation on every machine.
pub(super) fn client_config(extra_ca: &[PathBuf]) -> Result<ClientConfig, BuildError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for path in extra_ca {
        add_authorities(&mut roots, path).map_err(|why| BuildError::Authority { path: path.clone(), why })?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn add_authorities(roots: &mut RootCertStore, path: &PathBuf) -> Result<(), String> {
    let mut found = 0;
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())? {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
        found += 1;
    }
    if found == 0 { Err("it holds no PEM certificate".to_owned()) } else { Ok(()) }
}
