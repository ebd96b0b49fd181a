// SPDX-License-Identifier: MIT

//! A rust-libp2p node that is told by lines of text what to do; see tests/interop/README.md.
//!
//! Usage: libp2p-VERSION [--transport] [--idle MS]

mod node;
mod streams;
mod talk;
mod transport;

use futures::StreamExt;
use libp2p::{
    identify, identity, kad, noise, ping, request_response, swarm::NetworkBehaviour, tcp, yamux,
    StreamProtocol, SwarmBuilder,
};
use node::{Message, Node, Order};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};

pub const PREFIX: &str = "/troupe/interop";
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(NetworkBehaviour)]
pub struct Conduct {
    identify: identify::Behaviour,
    ping: ping::Behaviour,
    kad: kad::Behaviour<kad::store::MemoryStore>,
    cbor: request_response::cbor::Behaviour<Message, Message>,
    json: request_response::json::Behaviour<Message, Message>,
    stream: streams::Behaviour,
}

fn protocol(name: &str) -> StreamProtocol {
    StreamProtocol::try_from_owned(format!("{PREFIX}/{name}/1.0.0"))
        .expect("it begins with a slash")
}

fn conduct(key: &identity::Keypair, stream: streams::Behaviour) -> Conduct {
    let id = key.public().to_peer_id();
    let mut kad = kad::Behaviour::with_config(
        id,
        kad::store::MemoryStore::new(id),
        kad::Config::new(protocol("kad")),
    );
    kad.set_mode(Some(kad::Mode::Server));
    let once = |name| [(protocol(name), request_response::ProtocolSupport::Full)];
    Conduct {
        identify: identify::Behaviour::new(
            identify::Config::new_with_signed_peer_record("troupe-interop/1.0.0".into(), key)
                .with_push_listen_addr_updates(true),
        ),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(Duration::from_millis(200))),
        kad,
        cbor: request_response::cbor::Behaviour::new(once("cbor"), Default::default()),
        json: request_response::json::Behaviour::new(once("json"), Default::default()),
        stream,
    }
}

/// The milliseconds after which an idle connection is closed.
fn idle_timeout() -> Duration {
    let words: Vec<_> = std::env::args().collect();
    let at = words.iter().position(|word| word == "--idle");
    let said = at.and_then(|at| words.get(at + 1)).and_then(|word| word.parse().ok());
    Duration::from_millis(said.unwrap_or(300_000))
}

async fn run() -> Result<(), Failure> {
    let (stream, control, inbound) = streams::Behaviour::new();
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key| conduct(key, stream))?
        .with_swarm_config(|config| config.with_idle_connection_timeout(idle_timeout()))
        .build();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    let mut node = Node::new(swarm, talk::Talker::serve(control, inbound));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => match line? {
                Some(line) => match Order::parse(&line) {
                    Some(order) if order.verb == "quit" => return Ok(()),
                    Some(order) => node.order(order),
                    None => {}
                },
                None => return Ok(()),
            },
            event = node.swarm.select_next_some() => node.event(event),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let transport = std::env::args().any(|word| word == "--transport");
    let result = if transport { transport::run().await } else { run().await };
    if let Err(error) = result {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
