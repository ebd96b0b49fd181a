//! A Rust program that calls an actor in C: the other half of `kameo_counter.c`.
//!
//!     call_counter ADDRESS [AMOUNT]

use std::env;

use kameo::actor::RemoteActorRef;
use kameo_rust::{start, Counter, Inc, NAME};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = env::args().nth(1).ok_or("usage: call_counter ADDRESS [AMOUNT]")?;
    let amount = env::args().nth(2).map_or(Ok(1), |text| text.parse())?;
    start(Some(address.parse()?)).await?;
    let counter = RemoteActorRef::<Counter>::lookup(NAME).await?.ok_or("there is no counter")?;
    println!("{}", counter.ask(&Inc { amount }).await?);
    Ok(())
}
