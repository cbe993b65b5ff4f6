#![allow(clippy::unwrap_used)]

use super::*;

/// A server that sends back what it gets, and a proxy before it.
async fn echo() -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    Proxy::start(Some(address)).await.unwrap()
}

async fn there_and_back(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"hello").await?;
    let mut back = [0; 5];
    stream.read_exact(&mut back).await?;
    assert_eq!(&back, b"hello");
    Ok(())
}

#[tokio::test]
async fn a_healthy_link_carries_both_ways_and_closes_when_asked() {
    let proxy = echo().await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    there_and_back(&mut stream).await.unwrap();
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_cut_ends_connections_and_lets_nobody_in_until_it_is_healed() {
    let proxy = echo().await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    there_and_back(&mut stream).await.unwrap();
    proxy.set(Some(How::Cut));
    assert!(there_and_back(&mut stream).await.is_err());
    let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(there_and_back(&mut refused).await.is_err());
    proxy.set(None);
    let mut again = TcpStream::connect(proxy.address()).await.unwrap();
    there_and_back(&mut again).await.unwrap();
}

#[tokio::test]
async fn a_hanging_link_delivers_everything_when_it_is_healed() {
    let proxy = echo().await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    there_and_back(&mut stream).await.unwrap();
    proxy.set(Some(How::Hang));
    let short = Duration::from_millis(100);
    let waited = tokio::time::timeout(short, there_and_back(&mut stream)).await;
    assert!(waited.is_err(), "nothing arrives");
    proxy.set(None);
    let mut back = [0; 5];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"hello");
}

#[tokio::test]
async fn a_slow_link_takes_its_time() {
    let proxy = echo().await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    there_and_back(&mut stream).await.unwrap();
    proxy.set(Some(How::Slow {
        latency: 40,
        jitter: 0,
        rate: 1_000_000,
    }));
    let since = Instant::now();
    there_and_back(&mut stream).await.unwrap();
    assert!(since.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn connections_follow_the_target() {
    let proxy = echo().await;
    proxy.lead_to(None);
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(there_and_back(&mut stream).await.is_err());
}
