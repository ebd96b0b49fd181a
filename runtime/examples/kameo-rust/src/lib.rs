//! What both programs need: the counter, and a swarm that can be told whom to dial.

use std::time::Duration;

use futures::StreamExt;
use kameo::{
    message::{Context, Message},
    remote::{self, messaging},
    remote_message, Actor, RemoteActor,
};
use libp2p::{multiaddr::Protocol, noise, swarm::SwarmEvent, tcp, yamux, Multiaddr, SwarmBuilder};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

pub const NAME: &str = "counter";

/// In C: `counter_actor_type`, id "counter".
#[derive(Actor, Default, RemoteActor)]
#[remote_actor(id = "counter")]
pub struct Counter {
    count: i64,
}

/// In C: `struct counter_inc`, id "inc".
#[derive(Serialize, Deserialize)]
pub struct Inc {
    pub amount: i64,
}

#[remote_message("inc")]
impl Message<Inc> for Counter {
    type Reply = i64;

    async fn handle(&mut self, inc: Inc, _: &mut Context<Self, Self::Reply>) -> Self::Reply {
        self.count += inc.amount;
        self.count
    }
}

/// Starts the process's swarm; gives where it listens, once it is connected to `peer`.
///
/// `kameo::remote::bootstrap()` would do where mDNS finds the others, as it does in one LAN.
pub async fn start(peer: Option<Multiaddr>) -> Result<Multiaddr, Box<dyn std::error::Error>> {
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key| {
            remote::Behaviour::new(key.public().to_peer_id(), messaging::Config::default())
        })?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build();
    swarm.behaviour().try_init_global()?;
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    if let Some(address) = &peer {
        let Some(Protocol::P2p(id)) = address.iter().last() else {
            return Err("the address has to end in /p2p/ and the id of the peer".into());
        };
        swarm.add_peer_address(id, address.clone()); // for the registry
        swarm.dial(address.clone())?;
    }
    let (ready, listening) = oneshot::channel();
    tokio::spawn(async move {
        let mut ready = Some(ready);
        let mut own = None;
        let mut connected = peer.is_none();
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { address, .. } => {
                    own = address.with_p2p(*swarm.local_peer_id()).ok();
                }
                SwarmEvent::ConnectionEstablished { .. } => connected = true,
                _ => {}
            }
            if connected && own.is_some() {
                if let Some(ready) = ready.take() {
                    let _ = ready.send(own.take());
                }
            }
        }
    });
    listening.await?.ok_or_else(|| "no address".into())
}
