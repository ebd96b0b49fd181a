//! An actor in Rust that a C program calls: the other half of `kameo_call.c`.
//!
//!     counter                    listening /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW…

use kameo::actor::Spawn;
use kameo_rust::{start, Counter, NAME};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = start(None).await?;
    let counter = Counter::spawn_default();
    counter.register(NAME).await?;
    println!("listening {address}");
    counter.wait_for_shutdown().await;
    Ok(())
}
