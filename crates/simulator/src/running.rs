//! A simulator that listens.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Deref;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::StartError;
use crate::simulator::Simulator;

/// How long answers under way may take once a stop is asked for.
const GRACE: Duration = Duration::from_secs(2);

/// A simulator that serves requests until it is shut down or dropped. Everything that a [`Simulator`] can be asked
/// it can be asked too.
#[derive(Debug)]
#[must_use = "dropping it stops the simulator"]
pub struct Running {
    simulator: Simulator,
    url: String,
    /// Sending or dropping it stops the server.
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Simulator {
    /// Serves requests on `listener`, in a task of its own. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the listener cannot tell its address.
    pub fn start(&self, listener: TcpListener) -> Result<Running, StartError> {
        let mut address = listener.local_addr().map_err(StartError::Address)?;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        let url = format!("http://{address}");
        self.set_issuer(url.clone());
        // The control page asks who is there.
        let service = self.router().into_make_service_with_connect_info::<SocketAddr>();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = axum::serve(listener, service).with_graceful_shutdown(async move {
            // Sent or dropped: either means stop.
            let _ = stopped.await;
        });
        let served = tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the simulator stopped serving");
            }
        });
        Ok(Running { simulator: self.clone(), url, stop, served })
    }
}

impl Running {
    /// Where it listens, which is also its issuer: scheme, address and port, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops taking requests, and returns when those under way are answered or have had two seconds.
    pub async fn shutdown(self) {
        let Self { stop, mut served, .. } = self;
        drop(stop);
        if tokio::time::timeout(GRACE, &mut served).await.is_err() {
            served.abort();
        }
    }
}

impl Deref for Running {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.simulator
    }
}
