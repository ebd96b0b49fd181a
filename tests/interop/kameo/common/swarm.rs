//! The swarm: Kameo's behaviour alone, on TCP, Noise and yamux, and what is ordered of it.

use std::{collections::HashMap, time::Duration};

use futures::StreamExt;
use kameo::remote;
use libp2p::{
    multiaddr::Protocol,
    noise,
    swarm::{dial_opts::DialOpts, ConnectionId, SwarmEvent},
    tcp, yamux, Multiaddr, PeerId, Swarm, SwarmBuilder,
};
use serde_json::{json, Value};
use tokio::sync::{mpsc, oneshot};

use super::{
    lines::{emit, Failure, Outcome},
    requests::usage,
};

pub enum Order {
    Listen(Multiaddr),
    Dial(Multiaddr),
    HangUp(PeerId),
    Peers,
}

type Waiting = oneshot::Sender<Outcome>;

/// Sends orders to the swarm, wherever it runs.
#[derive(Clone)]
pub struct Orders(mpsc::Sender<(Order, Waiting)>);

impl Orders {
    pub async fn give(&self, order: Order) -> Outcome {
        let (waiting, outcome) = oneshot::channel();
        let gone = |_| Failure::new("Gone", "the swarm does not run");
        self.0.send((order, waiting)).await.map_err(|_| gone(()))?;
        outcome.await.map_err(|_| gone(()))?
    }
}

struct Loop {
    swarm: Swarm<remote::Behaviour>,
    orders: mpsc::Receiver<(Order, Waiting)>,
    dials: HashMap<ConnectionId, Waiting>,
    listens: Vec<Waiting>,
    silent: bool, // nobody wants to hear of connections
}

impl Loop {
    fn obey(&mut self, order: Order, waiting: Waiting) {
        match order {
            Order::Listen(address) => match self.swarm.listen_on(address) {
                Ok(_) => self.listens.push(waiting),
                Err(error) => drop(waiting.send(Err(usage(error)))),
            },
            Order::Dial(address) => {
                // The registry routes to peers that it was told of, not to those that are there.
                if let Some(Protocol::P2p(peer)) = address.iter().last() {
                    self.swarm.add_peer_address(peer, address.clone());
                }
                let dial = DialOpts::unknown_peer_id().address(address).build();
                let connection = dial.connection_id();
                match self.swarm.dial(dial) {
                    Ok(()) => drop(self.dials.insert(connection, waiting)),
                    Err(error) => drop(waiting.send(Err(Failure::new("DialFailure", error)))),
                }
            }
            Order::HangUp(peer) => {
                let gone = |()| usage("there is no connection");
                let outcome = self.swarm.disconnect_peer_id(peer).map_err(gone);
                drop(waiting.send(outcome.map(|()| Value::Null)));
            }
            Order::Peers => {
                let peers: Vec<_> = self.swarm.connected_peers().map(PeerId::to_string).collect();
                drop(waiting.send(Ok(json!(peers))));
            }
        }
    }

    fn tell(&self, event: Value) {
        if !self.silent {
            emit(event);
        }
    }

    fn dialed(&mut self, connection: ConnectionId, outcome: Outcome) {
        if let Some(waiting) = self.dials.remove(&connection) {
            drop(waiting.send(outcome));
        }
    }

    fn on_event(&mut self, event: SwarmEvent<remote::Event>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                let own = address.with_p2p(*self.swarm.local_peer_id());
                let own = own.map_or(Value::Null, |own| json!(own.to_string()));
                for waiting in self.listens.drain(..) {
                    drop(waiting.send(Ok(own.clone())));
                }
            }
            SwarmEvent::ConnectionEstablished {
                peer_id, connection_id, num_established, ..
            } => {
                self.tell(json!({
                    "event": "connected",
                    "peer": peer_id.to_string(),
                    "connections": num_established,
                }));
                self.dialed(connection_id, Ok(json!(peer_id.to_string())));
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established, cause, .. } => {
                self.tell(json!({
                    "event": "closed",
                    "peer": peer_id.to_string(),
                    "connections": num_established,
                    "cause": cause.map(|cause| cause.to_string()),
                }))
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.dialed(connection_id, Err(Failure::new("DialFailure", error)));
            }
            _ => {}
        }
    }

    async fn run(mut self) {
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                Some((order, waiting)) = self.orders.recv() => self.obey(order, waiting),
            }
        }
    }
}

/// How the swarm is.
pub struct Settings {
    pub idle: Duration, // Kameo's own bootstrap keeps a connection without use for 10 s
    pub messaging: remote::messaging::Config,
    pub silent: bool,
}

/// Starts the process's only swarm.
pub fn start(settings: Settings) -> Result<(PeerId, Orders), Box<dyn std::error::Error>> {
    let swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key| {
            remote::Behaviour::new(key.public().to_peer_id(), settings.messaging)
        })?
        .with_swarm_config(|config| config.with_idle_connection_timeout(settings.idle))
        .build();
    swarm.behaviour().try_init_global()?;
    let peer = *swarm.local_peer_id();
    let (sender, orders) = mpsc::channel(64);
    let node = Loop { swarm, orders, dials: HashMap::new(), listens: Vec::new(), silent: settings.silent };
    tokio::spawn(node.run());
    Ok((peer, Orders(sender)))
}
