//! Servers that start with a world and stop with it.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long open requests may delay a shutdown.
const SHUTDOWN_PATIENCE: Duration = Duration::from_secs(3);

/// Servers that stop together. Dropping them stops them at once.
pub(crate) struct Servers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Default for Servers {
    fn default() -> Self {
        Self {
            stop: watch::Sender::new(false),
            tasks: JoinSet::new(),
        }
    }
}

impl Servers {
    /// Serves a router. Its handlers can read their peer's address.
    pub(crate) fn serve(&mut self, listener: TcpListener, router: Router) {
        let stopped = self.stopped();
        // An answer is one small write: waiting for more of it (Nagle) would only add time.
        let listener = listener.tap_io(|connection| {
            if let Err(error) = connection.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY was refused");
            }
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        self.tasks.spawn(async move {
            let served = axum::serve(listener, service)
                .with_graceful_shutdown(stopped)
                .await;
            if let Err(error) = served {
                tracing::error!(%error, "a server has stopped");
            }
        });
    }

    /// Stops accepting requests, and waits for the open ones.
    pub(crate) async fn stop(&mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_PATIENCE, ended)
            .await
            .is_err()
        {
            self.tasks.abort_all();
        }
    }

    fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.subscribe();
        async move {
            // An error means that the sender is gone, and with it the world.
            let _gone = stop.wait_for(|stop| *stop).await;
        }
    }
}
