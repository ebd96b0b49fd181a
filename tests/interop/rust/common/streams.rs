// SPDX-License-Identifier: MIT

//! A behaviour that opens and accepts plain streams, as many at once as the swarm lets through.

use crate::Failure;
use futures::channel::{mpsc, oneshot};
use futures::StreamExt;
use libp2p::{
    core::{
        transport::PortUse,
        upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo},
        Endpoint,
    },
    swarm::{
        behaviour::{ConnectionClosed, ConnectionEstablished},
        handler::{
            ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
        },
        ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
        NetworkBehaviour, NotifyHandler, SubstreamProtocol, THandler, THandlerInEvent,
        THandlerOutEvent, ToSwarm,
    },
    Multiaddr, PeerId, Stream, StreamProtocol,
};
use std::{
    collections::{HashMap, VecDeque},
    convert::Infallible,
    future::{ready, Ready},
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

/// A stream to be opened, and who waits for it.
#[derive(Debug)]
pub struct Open {
    peer: PeerId,
    protocol: StreamProtocol,
    reply: oneshot::Sender<Result<Stream, String>>,
}

/// What the rest of the program has of the behaviour.
#[derive(Clone)]
pub struct Control {
    opens: mpsc::UnboundedSender<Open>,
    accepted: Arc<Mutex<Vec<StreamProtocol>>>,
}

impl Control {
    pub async fn open(&self, peer: PeerId, protocol: StreamProtocol) -> Result<Stream, Failure> {
        let (reply, answer) = oneshot::channel();
        self.opens.unbounded_send(Open { peer, protocol, reply })?;
        Ok(answer.await??)
    }

    pub fn accept(&self, protocol: StreamProtocol) {
        self.accepted.lock().expect("nobody panics with it").push(protocol);
    }
}

pub type Inbound = mpsc::UnboundedReceiver<(Stream, StreamProtocol)>;

pub struct Behaviour {
    opens: mpsc::UnboundedReceiver<Open>,
    inbound: mpsc::UnboundedSender<(Stream, StreamProtocol)>,
    accepted: Arc<Mutex<Vec<StreamProtocol>>>,
    connections: HashMap<PeerId, Vec<ConnectionId>>,
}

impl Behaviour {
    pub fn new() -> (Self, Control, Inbound) {
        let (opens, opens_out) = mpsc::unbounded();
        let (inbound, inbound_out) = mpsc::unbounded();
        let accepted = Arc::default();
        let control = Control { opens, accepted: Arc::clone(&accepted) };
        let behaviour = Self { opens: opens_out, inbound, accepted, connections: HashMap::new() };
        (behaviour, control, inbound_out)
    }

    fn handler(&self) -> Handler {
        Handler {
            inbound: self.inbound.clone(),
            accepted: Arc::clone(&self.accepted),
            opens: VecDeque::new(),
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(ConnectionEstablished {
                peer_id,
                connection_id,
                ..
            }) => {
                self.connections.entry(peer_id).or_default().push(connection_id);
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) => {
                if let Some(ids) = self.connections.get_mut(&peer_id) {
                    ids.retain(|id| *id != connection_id);
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        while let Poll::Ready(Some(open)) = self.opens.poll_next_unpin(context) {
            let connection = self.connections.get(&open.peer).and_then(|ids| ids.last());
            match connection {
                Some(id) => {
                    return Poll::Ready(ToSwarm::NotifyHandler {
                        peer_id: open.peer,
                        handler: NotifyHandler::One(*id),
                        event: open,
                    })
                }
                None => drop(open.reply.send(Err("not connected".into()))),
            }
        }
        Poll::Pending
    }
}

pub struct Handler {
    inbound: mpsc::UnboundedSender<(Stream, StreamProtocol)>,
    accepted: Arc<Mutex<Vec<StreamProtocol>>>,
    opens: VecDeque<Open>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Open;
    type ToBehaviour = Infallible;
    type InboundProtocol = OneOf;
    type OutboundProtocol = OneOf;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = oneshot::Sender<Result<Stream, String>>;

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        let accepted = self.accepted.lock().expect("nobody panics with it").clone();
        SubstreamProtocol::new(OneOf(accepted), ())
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<OneOf, Self::OutboundOpenInfo, Infallible>> {
        match self.opens.pop_front() {
            Some(open) => Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: SubstreamProtocol::new(OneOf(vec![open.protocol]), open.reply),
            }),
            None => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, open: Open) {
        self.opens.push_back(open);
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<OneOf, OneOf, (), Self::OutboundOpenInfo>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol, ..
            }) => {
                drop(self.inbound.unbounded_send(protocol));
            }
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (stream, _),
                info: reply,
            }) => drop(reply.send(Ok(stream))),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: reply, error }) => {
                drop(reply.send(Err(error.to_string())));
            }
            _ => {}
        }
    }
}

/// Agrees on one of some protocols, and leaves the stream as it is.
pub struct OneOf(Vec<StreamProtocol>);

impl UpgradeInfo for OneOf {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for OneOf {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((stream, protocol)))
    }
}

impl OutboundUpgrade<Stream> for OneOf {
    type Output = (Stream, StreamProtocol);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((stream, protocol)))
    }
}
