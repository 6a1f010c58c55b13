//! How to reach PostgreSQL, and what it must be set to.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Object, PoolError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::Error;

/// Statements that run longer are ended by the server. None of the store's should come near it.
const STATEMENT_TIMEOUT_MS: u32 = 15_000;

/// What a connection string asks for.
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

/// The connection string with what the store needs added.
///
/// libpq's `sslrootcert` (a PEM file, instead of the public authorities) is understood here; the client library
/// does not know it.
pub(super) fn target(url: &str, schema: &str, patience: Duration) -> Result<Target, Error> {
    // Certificates are always verified in full here, so libpq's two stricter words mean the same as `require`.
    let url =
        url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
    let (url, authorities) = take_root_certificate(&url);
    let mut config: Config = url.parse().map_err(|error| Error::Open {
        what: "PostgreSQL".into(),
        reason: format!("{} (check the connection URL in the settings)", explain(&error)),
    })?;
    let given = config.get_options().map(|options| format!("{options} ")).unwrap_or_default();
    config.options(format!("{given}-c search_path={schema} -c statement_timeout={STATEMENT_TIMEOUT_MS}"));
    config.connect_timeout(patience);
    if config.get_application_name().is_none() {
        config.application_name("tessera");
    }
    Ok(Target { config, tls: tls(authorities)? })
}

/// Takes `sslrootcert=FILE` out of a URL's query or a list of `key=value`.
fn take_root_certificate(url: &str) -> (String, Option<String>) {
    let Some(start) = url.find("sslrootcert=") else { return (url.to_owned(), None) };
    let (before, option) = url.split_at(start);
    let end = option.find(['&', ' ']).unwrap_or(option.len());
    let (option, after) = option.split_at(end);
    let file = option.trim_start_matches("sslrootcert=");
    let file = percent_encoding::percent_decode_str(file).decode_utf8_lossy().into_owned();
    let rest = match after.get(1..) {
        Some(rest) => format!("{before}{rest}"),
        None => before.trim_end_matches(['?', '&', ' ']).to_owned(),
    };
    (rest, Some(file))
}

/// Where the database is, without its password.
pub(super) fn describe(config: &Config) -> String {
    let hosts: Vec<_> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    format!("PostgreSQL database {} at {}", config.get_dbname().unwrap_or("(default)"), hosts.join(", "))
}

/// TLS that trusts the authorities in a file, else the public ones. Whether it is used is the connection
/// string's `sslmode`.
fn tls(authorities: Option<String>) -> Result<MakeRustlsConnect, Error> {
    let roots = match authorities {
        Some(file) => read_authorities(&file).map_err(|reason| Error::Open { what: file, reason })?,
        None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Open { what: "TLS for PostgreSQL".into(), reason: error.to_string() })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn read_authorities(file: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| error.to_string())? {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("there is no certificate in it".into());
    }
    Ok(roots)
}

/// Refuses a server whose settings would break a promise: text that is not UTF-8, answers before the disk.
pub(super) async fn check(client: &Object) -> Result<(), Error> {
    let sql = "SELECT current_setting('server_encoding'), current_setting('synchronous_commit'),
        current_setting('fsync')";
    let row = client.query_one(sql, &[]).await?;
    let (encoding, commit, fsync): (String, String, String) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    if encoding != "UTF8" {
        return Err(Error::Database(format!("its encoding is {encoding}: create it with ENCODING 'UTF8'")));
    }
    if commit == "off" {
        let text =
            "synchronous_commit is off, so that stored tokens could be lost: set it to on for this role";
        return Err(Error::Database(text.into()));
    }
    if fsync == "off" {
        tracing::warn!("PostgreSQL runs with fsync = off: a power cut can lose or break what is stored");
    }
    Ok(())
}

/// The error and its causes in one line. A server's DETAIL is left out: it can quote what was to be stored.
pub(super) fn explain(error: &tokio_postgres::Error) -> String {
    if let Some(server) = error.as_db_error() {
        return format!("{} ({})", server.message(), server.code().code());
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    if text.contains("certificate") {
        text.push_str(
            " (name its authority with sslrootcert=FILE, or say sslmode=disable on a network of your own)",
        );
    }
    text
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let text = explain(&error);
        match error.code().map(|code| code.code()) {
            Some(code) if code.starts_with("23") => Self::Constraint(text),
            // Query cancelled (our statement_timeout), lock not available, deadlock, serialization failure.
            Some("57014" | "55P03" | "40P01" | "40001") => Self::Busy(text),
            _ => Self::Database(text),
        }
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => error.into(),
            PoolError::Timeout(_) => Self::Busy("no database connection became free in time".into()),
            PoolError::Closed => Self::Closed,
            other => Self::Database(other.to_string()),
        }
    }
}
