//! What a remote message costs: one process serves, another calls. Either may be another program
//! that has an actor `bench` with the messages `echo`, `drop` and `count` below.
//!
//!     bench serve                                    {"listening": ADDRESS}, until killed
//!     bench call ADDRESS [asks=N] [tells=N]          a figure a line: name, value, unit
//!
//! tests/bench/README.md says more.

use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

use futures::future::try_join_all;
use kameo::{prelude::*, remote::messaging};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_json::json;

use super::{
    lines::{emit, Failure},
    swarm::{self, Order, Settings},
};

const NAME: &str = "bench";
const LOOPBACK: &str = "/ip4/127.0.0.1/tcp/0";
const LOAD_BYTES: usize = 64;
const WARM_UP: usize = 500;
/// Kameo carries 100 requests at once on a connection and fails what is beyond.
const AT_ONCE: u64 = 100;

type Error = Box<dyn std::error::Error>;

#[derive(Actor, Default, RemoteActor)]
#[remote_actor(id = "bench")]
pub struct Bench {
    dropped: u64,
}

/// Comes back as it is.
#[derive(Serialize, Deserialize)]
pub struct Echo {
    load: ByteBuf,
}

/// On the wire it is the bytes alone.
#[derive(Reply, Serialize, Deserialize)]
pub struct Load(ByteBuf);

/// Is told, and counted.
#[derive(Serialize, Deserialize)]
pub struct Drop {
    load: ByteBuf,
}

/// How many were told so far.
#[derive(Serialize, Deserialize)]
pub struct Count {}

#[remote_message("echo")]
impl Message<Echo> for Bench {
    type Reply = Load;

    async fn handle(&mut self, echo: Echo, _: &mut Context<Self, Load>) -> Load {
        Load(echo.load)
    }
}

#[remote_message("drop")]
impl Message<Drop> for Bench {
    type Reply = ();

    async fn handle(&mut self, _: Drop, _: &mut Context<Self, ()>) {
        self.dropped += 1;
    }
}

#[remote_message("count")]
impl Message<Count> for Bench {
    type Reply = u64;

    async fn handle(&mut self, _: Count, _: &mut Context<Self, u64>) -> u64 {
        self.dropped
    }
}

fn settings() -> Settings {
    Settings {
        idle: Duration::from_secs(300),
        messaging: messaging::Config::default(),
        silent: true,
    }
}

fn failed(failure: Failure) -> Error {
    failure.text.into()
}

fn load() -> ByteBuf {
    vec![0x55; LOAD_BYTES].into()
}

fn figure(name: &str, value: u128, unit: &str) {
    emit(json!({ "name": name, "value": value as u64, "unit": unit }));
}

async fn serve() -> Result<(), Error> {
    let (_, orders) = swarm::start(settings())?;
    let address = orders.give(Order::Listen(LOOPBACK.parse()?)).await.map_err(failed)?;
    let bench = Bench::spawn(Bench::default());
    bench.register(NAME).await?;
    emit(json!({ "listening": address }));
    bench.wait_for_shutdown().await;
    Ok(())
}

/// One ask after the other.
async fn measure_asks(bench: &RemoteActorRef<Bench>, count: usize) -> Result<(), Error> {
    let echo = Echo { load: load() };
    let mut took = Vec::with_capacity(count);
    for index in 0..WARM_UP + count {
        let began = Instant::now();
        let back = bench.ask(&echo).send().await?;
        if index >= WARM_UP {
            took.push(began.elapsed().as_nanos());
        }
        assert_eq!(back.0.len(), LOAD_BYTES, "the load came back");
    }
    took.sort_unstable();
    figure("remote_ask_p50", took[count / 2], "ns");
    figure("remote_ask_p99", took[count * 99 / 100], "ns");
    Ok(())
}

/// As many at once as a connection carries, each acknowledged, so that none is lost unseen.
async fn measure_tells(bench: &RemoteActorRef<Bench>, count: u64) -> Result<(), Error> {
    let left = Arc::new(AtomicU64::new(count));
    let before = bench.ask(&Count {}).send().await?;
    let began = Instant::now();
    try_join_all((0..AT_ONCE).map(|_| {
        let (bench, left) = (bench.clone(), left.clone());
        tokio::spawn(async move {
            let told = Drop { load: load() };
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok()
            {
                bench.tell(&told).send_ack().await.expect("a tell arrives");
            }
        })
    }))
    .await?;
    let took = began.elapsed();
    let after = bench.ask(&Count {}).send().await?;
    assert_eq!(after - before, count, "every tell arrived");
    figure("remote_tells", u128::from(count) * 1_000_000_000 / took.as_nanos(), "per second");
    Ok(())
}

async fn call(address: &str, asks: usize, tells: u64) -> Result<(), Error> {
    let (_, orders) = swarm::start(settings())?;
    orders.give(Order::Dial(address.parse()?)).await.map_err(failed)?;
    let bench = RemoteActorRef::<Bench>::lookup(NAME).await?.ok_or("nobody serves")?;
    measure_asks(&bench, asks).await?;
    measure_tells(&bench, tells).await
}

pub async fn run(arguments: &[String]) -> Result<(), Error> {
    let option = |name: &str, default: &str| {
        let given = arguments.iter().find_map(|text| text.strip_prefix(name));
        given.unwrap_or(default).to_string()
    };
    match arguments {
        [verb] if verb == "serve" => serve().await,
        [verb, address, ..] if verb == "call" => {
            call(address, option("asks=", "20000").parse()?, option("tells=", "100000").parse()?)
                .await
        }
        _ => Err("usage: bench serve | bench call ADDRESS [asks=N] [tells=N]".into()),
    }
}
