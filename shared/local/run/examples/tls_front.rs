//! Plays the network between a function and AWS, for `scripts/bench --lambda`: `tls_front KEY
//! CERTIFICATE ROUND_TRIP_MS PORT…`. Each port of a stand-in gets one with TLS before it, and
//! what goes there takes a round trip. Prints the new ports as one line of JSON.

#![expect(
    clippy::print_stdout,
    reason = "the ports are what its caller waits for"
)]

use std::{env, error::Error, fs, net::Ipv4Addr, sync::Arc, thread, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, split},
    net::{TcpListener, TcpStream},
    task::{JoinError, spawn_blocking},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

type Failure = Box<dyn Error + Send + Sync>;

/// As much as is sent on at once.
const CHUNK_BYTES: usize = 16 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [key, certificate, round_trip_ms, ports @ ..] = arguments.as_slice() else {
        return Err("usage: tls_front KEY CERTIFICATE ROUND_TRIP_MS PORT…".into());
    };
    let key = PrivateKeyDer::from_pem_slice(&fs::read(key)?)?;
    let certificate = CertificateDer::from_pem_slice(&fs::read(certificate)?)?;
    let tls = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let round_trip = Duration::from_millis(round_trip_ms.parse()?);
    let mut fronts = Vec::new();
    let mut serving = tokio::task::JoinSet::new();
    for port in ports {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        fronts.push(listener.local_addr()?.port());
        serving.spawn(serve(listener, acceptor.clone(), port.parse()?, round_trip));
    }
    println!("{}", json!(fronts));
    while let Some(served) = serving.join_next().await {
        served??;
    }
    Ok(())
}

async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    port: u16,
    round_trip: Duration,
) -> Result<(), Failure> {
    loop {
        let (stream, _) = listener.accept().await?;
        let acceptor = acceptor.clone();
        // A connection that breaks is its client's to notice.
        tokio::spawn(async move { pass_on(stream, acceptor, port, round_trip).await });
    }
}

/// One connection: TCP and TLS 1.3 take a round trip each to be made, and so does each request.
async fn pass_on(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    port: u16,
    round_trip: Duration,
) -> Result<(), Failure> {
    stream.set_nodelay(true)?;
    wait(round_trip * 2).await?;
    let (mut from_client, mut to_client) = split(acceptor.accept(stream).await?);
    let service = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    service.set_nodelay(true)?;
    let (mut from_service, mut to_service) = service.into_split();
    let answers = async { copy(&mut from_service, &mut to_client).await };
    let requests = async {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let length = from_client.read(&mut chunk).await?;
            if length == 0 {
                return Ok::<(), std::io::Error>(());
            }
            wait(round_trip).await?;
            to_service.write_all(&chunk[..length]).await?;
        }
    };
    tokio::select! {
        answered = answers => answered.map(drop)?,
        asked = requests => asked?,
    }
    Ok(())
}

/// Tokio's clock ticks in milliseconds, and rounds up: two of them would be three. The system's
/// clock is right to a tenth of one.
async fn wait(time: Duration) -> Result<(), JoinError> {
    if time.is_zero() {
        return Ok(());
    }
    spawn_blocking(move || thread::sleep(time)).await
}
