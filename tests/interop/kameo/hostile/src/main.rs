//! A peer that is a good libp2p peer, and says on its streams what it is told to, byte by byte.
//!
//! It speaks the line protocol of the other nodes:
//!     dial ADDRESS
//!     send PROTOCOL BYTES             writes, half-closes, reads to the end: the answer in hex
//!     hold PROTOCOL BYTES COUNT       so many streams at once, written to and left open
//!     unread PROTOCOL BYTES COUNT     half-closed besides; their answers are never read
//!     drip PROTOCOL BYTES MS          a byte every MS milliseconds, until it is refused
//!     serve PROTOCOL silent           takes streams and never answers
//!     serve PROTOCOL answer BYTES     reads to the end, then answers with these
//!     serve PROTOCOL drip BYTES MS    the same, a byte every MS milliseconds
//! PROTOCOL has its leading slash; BYTES is hexadecimal pieces joined by commas, each of which may
//! be repeated: `a1,ff*1000`.

#[path = "../../common/lines.rs"]
mod lines;

use std::{collections::HashMap, time::Duration};

use futures::{future::join_all, AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::{
    noise,
    swarm::{dial_opts::DialOpts, ConnectionId, SwarmEvent},
    tcp, yamux, Multiaddr, PeerId, Stream, StreamProtocol, Swarm, SwarmBuilder,
};
use libp2p_stream::{Behaviour, Control};
use lines::{answer, emit, hex, unhex, Failure, Outcome};
use serde_json::{json, Value};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    sync::{mpsc, oneshot},
    time::sleep,
};

/// As much of an answer as is shown.
const SHOWN: usize = 4096;

type Dial = (Multiaddr, oneshot::Sender<Result<PeerId, String>>);

fn usage(text: impl ToString) -> Failure {
    Failure::new("Usage", text)
}

fn failed(text: impl ToString) -> Failure {
    Failure::new("Failed", text)
}

fn bytes_of(text: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    for piece in text.split(',') {
        let (digits, count) = piece.split_once('*').unwrap_or((piece, "1"));
        let piece = unhex(digits).ok_or_else(|| usage("no hexadecimal"))?;
        bytes.extend(piece.repeat(count.parse().map_err(usage)?));
    }
    Ok(bytes)
}

/// What a command needs; cheap to hand to a task.
#[derive(Clone)]
struct Hostile {
    control: Control,
    dials: mpsc::Sender<Dial>,
    victim: Option<PeerId>,
}

impl Hostile {
    async fn open(&self, protocol: &str) -> Result<Stream, Failure> {
        let victim = self.victim.ok_or_else(|| usage("dial first"))?;
        let protocol = StreamProtocol::try_from_owned(protocol.into()).map_err(usage)?;
        self.control.clone().open_stream(victim, protocol).await.map_err(failed)
    }

    async fn dial(&self, address: &str) -> Outcome {
        let (waiting, outcome) = oneshot::channel();
        let dial = (address.parse().map_err(usage)?, waiting);
        self.dials.send(dial).await.map_err(failed)?;
        let peer = outcome.await.map_err(failed)?.map_err(failed)?;
        Ok(json!(peer.to_string()))
    }

    async fn send(&self, protocol: &str, bytes: &str) -> Outcome {
        let mut stream = self.open(protocol).await?;
        let mut back = Vec::new();
        stream.write_all(&bytes_of(bytes)?).await.map_err(failed)?;
        stream.close().await.map_err(failed)?;
        stream.read_to_end(&mut back).await.map_err(failed)?;
        back.truncate(SHOWN);
        Ok(json!(hex(&back)))
    }

    /// Opens and writes; what becomes of each is said: how many stand, and the first refusal.
    async fn hold(&self, protocol: &str, bytes: &str, count: &str, half_close: bool) -> Outcome {
        let bytes = bytes_of(bytes)?;
        let count: usize = count.parse().map_err(usage)?;
        let streams = join_all((0..count).map(|_| async {
            let mut stream = self.open(protocol).await?;
            stream.write_all(&bytes).await.map_err(failed)?;
            stream.flush().await.map_err(failed)?;
            if half_close {
                stream.close().await.map_err(failed)?;
            }
            Ok::<_, Failure>(stream)
        }))
        .await;
        let (held, refused): (Vec<_>, Vec<_>) = streams.into_iter().partition(Result::is_ok);
        let why = refused.first().and_then(|refusal| refusal.as_ref().err()).map(|why| &why.text);
        let said = json!({ "held": held.len(), "refused": refused.len(), "why": why });
        std::mem::forget(held); // open for as long as the process is
        Ok(said)
    }

    async fn drip(&self, protocol: &str, bytes: &str, ms: &str) -> Outcome {
        let mut stream = self.open(protocol).await?;
        let pause = Duration::from_millis(ms.parse().map_err(usage)?);
        let dripped = drip(&mut stream, &bytes_of(bytes)?, pause).await;
        Ok(json!({ "refused": dripped.is_err() }))
    }

    /// Answers inbound streams until the process ends.
    fn serve(&self, protocol: &str, how: Answer) -> Outcome {
        let protocol = StreamProtocol::try_from_owned(protocol.into()).map_err(usage)?;
        let mut incoming = self.control.clone().accept(protocol).map_err(failed)?;
        tokio::spawn(async move {
            while let Some((peer, stream)) = incoming.next().await {
                emit(json!({ "event": "asked", "peer": peer.to_string() }));
                tokio::spawn(how.clone().give(stream));
            }
        });
        Ok(Value::Null)
    }
}

async fn drip(stream: &mut Stream, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte]).await?;
        stream.flush().await?;
        sleep(pause).await;
    }
    stream.close().await
}

#[derive(Clone)]
enum Answer {
    Silent,
    At(Vec<u8>, Duration),
}

impl Answer {
    async fn give(self, mut stream: Stream) {
        let mut request = Vec::new();
        let read = stream.read_to_end(&mut request).await;
        match self {
            Answer::Silent => std::mem::forget(stream),
            Answer::At(bytes, Duration::ZERO) if read.is_ok() => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.close().await;
            }
            Answer::At(bytes, pause) => drop(drip(&mut stream, &bytes, pause).await),
        }
    }
}

async fn obey(hostile: &Hostile, words: &[&str]) -> Outcome {
    match words {
        ["dial", address] => hostile.dial(address).await,
        ["send", protocol, bytes] => hostile.send(protocol, bytes).await,
        ["hold", protocol, bytes, count] => hostile.hold(protocol, bytes, count, false).await,
        ["unread", protocol, bytes, count] => hostile.hold(protocol, bytes, count, true).await,
        ["drip", protocol, bytes, ms] => hostile.drip(protocol, bytes, ms).await,
        ["serve", protocol, "silent"] => hostile.serve(protocol, Answer::Silent),
        ["serve", protocol, "answer", bytes] => {
            hostile.serve(protocol, Answer::At(bytes_of(bytes)?, Duration::ZERO))
        }
        ["serve", protocol, "drip", bytes, ms] => {
            let pause = Duration::from_millis(ms.parse().map_err(usage)?);
            hostile.serve(protocol, Answer::At(bytes_of(bytes)?, pause))
        }
        _ => Err(usage("no such command")),
    }
}

async fn run_swarm(mut swarm: Swarm<Behaviour>, mut dials: mpsc::Receiver<Dial>) {
    let mut waiting = HashMap::<ConnectionId, oneshot::Sender<_>>::new();
    loop {
        tokio::select! {
            event = swarm.select_next_some() => match event {
                SwarmEvent::ConnectionEstablished { peer_id, connection_id, .. } => {
                    if let Some(waiting) = waiting.remove(&connection_id) {
                        let _ = waiting.send(Ok(peer_id));
                    }
                }
                SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                    if let Some(waiting) = waiting.remove(&connection_id) {
                        let _ = waiting.send(Err(error.to_string()));
                    }
                }
                SwarmEvent::ConnectionClosed { peer_id, cause, .. } => emit(json!({
                    "event": "closed",
                    "peer": peer_id.to_string(),
                    "cause": cause.map(|cause| cause.to_string()),
                })),
                SwarmEvent::NewListenAddr { address, .. } => emit(json!({
                    "event": "ready",
                    "peer": swarm.local_peer_id().to_string(),
                    "address": address.with_p2p(*swarm.local_peer_id()).unwrap().to_string(),
                })),
                _ => {}
            },
            Some((address, answer)) = dials.recv() => {
                let dial = DialOpts::unknown_peer_id().address(address).build();
                waiting.insert(dial.connection_id(), answer);
                let _ = swarm.dial(dial); // a refusal drops the answer
            }
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|_| Behaviour::new())?
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(300)))
        .build();
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    let control = swarm.behaviour().new_control();
    let (sender, dials) = mpsc::channel(16);
    tokio::spawn(run_swarm(swarm, dials));
    let mut hostile = Hostile { control, dials: sender, victim: None };
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split(' ').collect();
        if let [tag, "dial", address] = words[..] {
            let outcome = hostile.dial(address).await;
            hostile.victim = outcome.as_ref().ok().and_then(|peer| peer.as_str()?.parse().ok());
            answer(tag, outcome);
            continue;
        }
        let hostile = hostile.clone();
        tokio::spawn(async move {
            let words: Vec<&str> = line.split(' ').collect();
            answer(words[0], obey(&hostile, &words[1..]).await);
        });
    }
    std::process::exit(0);
}
