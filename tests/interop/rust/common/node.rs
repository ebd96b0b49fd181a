// SPDX-License-Identifier: MIT

//! The swarm: commands, events, and which answers which.

use crate::{talk, Conduct, ConductEvent, Failure};
use libp2p::{
    core::ConnectedPoint,
    identify, kad,
    multiaddr::Protocol,
    ping, request_response,
    swarm::{
        dial_opts::{DialOpts, PeerCondition},
        SwarmEvent,
    },
    Multiaddr, PeerId, StreamProtocol, Swarm,
};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, fmt::Display};

/// What is asked and answered; the answer counts on.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Message {
    pub text: String,
    pub number: u64,
    pub blob: serde_bytes::ByteBuf,
}

/// A command: its name in the answer, the verb, the rest.
#[derive(Clone)]
pub struct Order {
    pub id: String,
    pub verb: String,
    args: Vec<String>,
}

impl Order {
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace().map(String::from);
        Some(Self { id: words.next()?, verb: words.next()?, args: words.collect() })
    }

    pub fn arg(&self, at: usize) -> &str {
        self.args.get(at).map_or("", String::as_str)
    }

    pub fn number(&self, at: usize) -> usize {
        self.arg(at).parse().unwrap_or(0)
    }

    fn peer(&self) -> Result<PeerId, Failure> {
        Ok(self.arg(0).parse()?)
    }
}

fn hex_decode(text: &str) -> Result<Vec<u8>, Failure> {
    (0..text.len() / 2).map(|i| Ok(u8::from_str_radix(&text[2 * i..2 * i + 2], 16)?)).collect()
}

fn hex_encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn done(id: &str, answer: impl Display) {
    println!("done id={id} {answer}");
}

pub fn failed(id: &str, why: impl Display) {
    let why: Vec<_> = why.to_string().split_whitespace().map(String::from).collect();
    println!("failed id={id} why={}", why.join("_"));
}

fn join<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(",")
}

/// A query of the DHT under way, and the peers it found so far.
struct Query {
    id: String,
    peers: Vec<PeerId>,
}

pub struct Node {
    pub swarm: Swarm<Conduct>,
    talker: talk::Talker,
    dials: Vec<(PeerId, String)>,
    pings: Vec<(PeerId, String)>,
    requests: HashMap<request_response::OutboundRequestId, String>,
    json_requests: HashMap<request_response::OutboundRequestId, String>,
    queries: HashMap<kad::QueryId, Query>,
    known: HashMap<PeerId, identify::Info>,
}

impl Node {
    pub fn new(swarm: Swarm<Conduct>, talker: talk::Talker) -> Self {
        Self {
            swarm,
            talker,
            dials: Vec::new(),
            pings: Vec::new(),
            requests: HashMap::new(),
            json_requests: HashMap::new(),
            queries: HashMap::new(),
            known: HashMap::new(),
        }
    }

    pub fn order(&mut self, order: Order) {
        if let Err(error) = self.attempt(&order) {
            failed(&order.id, error);
        }
    }

    fn attempt(&mut self, order: &Order) -> Result<(), Failure> {
        match order.verb.as_str() {
            "dial" => self.dial(order)?,
            "listen" => {
                self.swarm.listen_on(order.arg(0).parse()?)?;
                done(&order.id, "");
            }
            "offer" => {
                self.talker.offer(StreamProtocol::try_from_owned(order.arg(0).into())?);
                done(&order.id, "");
            }
            "release" => {
                self.talker.release();
                done(&order.id, "");
            }
            "status" => {
                let info = self.swarm.network_info();
                done(
                    &order.id,
                    format!("connections={}", info.connection_counters().num_established()),
                );
            }
            "progress" => done(&order.id, format!("sent={}", self.talker.progress(order.arg(0)))),
            "hangup" => {
                self.swarm.disconnect_peer_id(order.peer()?).map_err(|()| "not connected")?;
                done(&order.id, "");
            }
            "known" => self.tell_known(order)?,
            "ping" => self.pings.push((order.peer()?, order.id.clone())),
            "request" => self.request(order)?,
            verb if verb.starts_with("kad-") => self.kad(order)?,
            _ => self.talker.talk(order.peer()?, order.clone()),
        }
        Ok(())
    }

    fn dial(&mut self, order: &Order) -> Result<(), Failure> {
        let address: Multiaddr = order.arg(0).parse()?;
        let Some(Protocol::P2p(peer)) = address.iter().last() else {
            return Err("the address names no peer".into());
        };
        let options =
            DialOpts::peer_id(peer).addresses(vec![address]).condition(PeerCondition::Always);
        self.swarm.dial(options.build())?;
        self.dials.push((peer, order.id.clone()));
        Ok(())
    }

    fn tell_known(&self, order: &Order) -> Result<(), Failure> {
        let info = self.known.get(&order.peer()?).ok_or("unknown")?;
        let (protocols, addresses) = (join(&info.protocols), join(&info.listen_addrs));
        done(&order.id, format!("protocols={protocols} addresses={addresses}"));
        Ok(())
    }

    fn request(&mut self, order: &Order) -> Result<(), Failure> {
        let message: Message = serde_json::from_slice(&hex_decode(order.arg(2))?)?;
        let (peer, conduct) = (order.peer()?, self.swarm.behaviour_mut());
        if order.arg(1).contains("/json/") {
            self.json_requests.insert(conduct.json.send_request(&peer, message), order.id.clone());
        } else {
            self.requests.insert(conduct.cbor.send_request(&peer, message), order.id.clone());
        }
        Ok(())
    }

    fn kad(&mut self, order: &Order) -> Result<(), Failure> {
        let kad = &mut self.swarm.behaviour_mut().kad;
        let query = match order.verb.as_str() {
            "kad-table" => {
                let peers = kad.kbuckets().flat_map(|bucket| {
                    bucket.iter().map(|entry| *entry.node.key.preimage()).collect::<Vec<_>>()
                });
                done(&order.id, format!("peers={}", join(peers.collect::<Vec<_>>())));
                return Ok(());
            }
            "kad-bootstrap" => kad.bootstrap()?,
            "kad-find" => kad.get_closest_peers(order.peer()?),
            "kad-provide" => kad.start_providing(hex_decode(order.arg(0))?.into())?,
            "kad-providers" => kad.get_providers(hex_decode(order.arg(0))?.into()),
            "kad-get" => kad.get_record(hex_decode(order.arg(0))?.into()),
            "kad-put" => {
                let record = kad::Record::new(hex_decode(order.arg(0))?, hex_decode(order.arg(1))?);
                kad.put_record(record, kad::Quorum::One)?
            }
            verb => return Err(format!("no such verb: {verb}").into()),
        };
        self.queries.insert(query, Query { id: order.id.clone(), peers: Vec::new() });
        Ok(())
    }

    pub fn event(&mut self, event: SwarmEvent<ConductEvent>) {
        match event {
            SwarmEvent::NewListenAddr { address, .. } => {
                println!("listening address={address}/p2p/{}", self.swarm.local_peer_id());
            }
            SwarmEvent::ConnectionEstablished { peer_id, endpoint, num_established, .. } => {
                println!(
                    "connected peer={peer_id} direction={} connections={num_established}",
                    way(&endpoint)
                );
                self.end_dial(peer_id, |id| done(id, ""));
            }
            SwarmEvent::ConnectionClosed { peer_id, endpoint, num_established, cause, .. } => {
                let why = cause.map_or("OK".into(), |error| error.to_string().replace(' ', "_"));
                println!(
                    "disconnected peer={peer_id} direction={} connections={num_established} why={why}",
                    way(&endpoint)
                );
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer), error, .. } => {
                self.end_dial(peer, |id| failed(id, format!("{error:?}")));
            }
            SwarmEvent::Behaviour(event) => self.conduct_event(event),
            _ => {}
        }
    }

    fn end_dial(&mut self, peer: PeerId, answer: impl FnOnce(&str)) {
        if let Some(at) = self.dials.iter().position(|(dialed, _)| *dialed == peer) {
            answer(&self.dials.remove(at).1);
        }
    }

    fn conduct_event(&mut self, event: ConductEvent) {
        match event {
            ConductEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.identified(peer_id, info);
            }
            ConductEvent::Identify(identify::Event::Error { peer_id, error, .. }) => {
                println!(
                    "identify-failed peer={peer_id} why={}",
                    error.to_string().replace(' ', "_")
                );
            }
            ConductEvent::Ping(ping::Event { peer, result, .. }) => self.pinged(peer, result),
            ConductEvent::Kad(kad::Event::OutboundQueryProgressed { id, result, step, .. }) => {
                self.query_progressed(id, result, step.last);
            }
            ConductEvent::Cbor(event) => {
                let conduct = self.swarm.behaviour_mut();
                answer(event, &mut self.requests, |channel, message| {
                    let _ = conduct.cbor.send_response(channel, message);
                });
            }
            ConductEvent::Json(event) => {
                let conduct = self.swarm.behaviour_mut();
                answer(event, &mut self.json_requests, |channel, message| {
                    let _ = conduct.json.send_response(channel, message);
                });
            }
            _ => {}
        }
    }

    fn identified(&mut self, peer: PeerId, info: identify::Info) {
        println!(
            "identified peer={peer} agent={} protocols={} addresses={} signed={} observed={}",
            info.agent_version.replace(' ', "_"),
            join(&info.protocols),
            join(&info.listen_addrs),
            info.signed_peer_record.is_some(),
            info.observed_addr
        );
        let kad = &mut self.swarm.behaviour_mut().kad;
        if info.protocols.iter().any(|protocol| kad.protocol_names().contains(protocol)) {
            for address in &info.listen_addrs {
                kad.add_address(&peer, address.clone());
            }
        }
        self.known.insert(peer, info);
    }

    fn pinged(&mut self, peer: PeerId, result: Result<std::time::Duration, ping::Failure>) {
        let Some(at) = self.pings.iter().position(|(pinged, _)| *pinged == peer) else {
            return;
        };
        let id = self.pings.remove(at).1;
        match result {
            Ok(time) => done(&id, format!("rtt_us={}", time.as_micros())),
            Err(error) => failed(&id, error),
        }
    }

    fn query_progressed(&mut self, id: kad::QueryId, result: kad::QueryResult, last: bool) {
        let Some(query) = self.queries.get_mut(&id) else {
            return;
        };
        let failure = match result {
            kad::QueryResult::GetRecord(Ok(kad::GetRecordOk::FoundRecord(found))) => {
                done(&query.id, format!("value={}", hex_encode(&found.record.value)));
                self.queries.remove(&id);
                return;
            }
            kad::QueryResult::GetRecord(Ok(_)) => Some("not found".to_string()),
            kad::QueryResult::GetRecord(Err(error)) => Some(format!("{error:?}")),
            kad::QueryResult::GetProviders(Ok(kad::GetProvidersOk::FoundProviders {
                providers,
                ..
            })) => {
                query.peers.extend(providers);
                None
            }
            kad::QueryResult::GetClosestPeers(Ok(found)) => {
                query.peers.extend(found.peers.into_iter().map(|info| info.peer_id));
                None
            }
            kad::QueryResult::PutRecord(Err(error)) => Some(format!("{error:?}")),
            kad::QueryResult::StartProviding(Err(error)) => Some(format!("{error:?}")),
            kad::QueryResult::GetClosestPeers(Err(error)) => Some(format!("{error:?}")),
            kad::QueryResult::Bootstrap(Err(error)) => Some(format!("{error:?}")),
            _ => None,
        };
        if !last {
            return;
        }
        match failure {
            Some(why) => failed(&query.id, why),
            None => {
                query.peers.sort();
                query.peers.dedup();
                done(&query.id, format!("peers={}", join(&query.peers)));
            }
        }
        self.queries.remove(&id);
    }
}

fn way(endpoint: &ConnectedPoint) -> &'static str {
    if endpoint.is_dialer() {
        "out"
    } else {
        "in"
    }
}

type Channel = request_response::ResponseChannel<Message>;

fn answer(
    event: request_response::Event<Message, Message>,
    requests: &mut HashMap<request_response::OutboundRequestId, String>,
    respond: impl FnOnce(Channel, Message),
) {
    match event {
        request_response::Event::Message { message, .. } => match message {
            request_response::Message::Request { mut request, channel, .. } => {
                request.number += 1;
                respond(channel, request);
            }
            request_response::Message::Response { request_id, response } => {
                if let Some(id) = requests.remove(&request_id) {
                    let text = serde_json::to_vec(&response).expect("it is plain data");
                    done(&id, format!("value={}", hex_encode(&text)));
                }
            }
        },
        request_response::Event::OutboundFailure { request_id, error, .. } => {
            if let Some(id) = requests.remove(&request_id) {
                failed(&id, error);
            }
        }
        _ => {}
    }
}
