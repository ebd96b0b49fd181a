//! A Kameo node that is told what to do, line by line; `../README.md` lists the commands.

use std::{collections::HashMap, time::Duration};

use futures::StreamExt;
use kameo::{prelude::*, remote::messaging};
use serde_json::{json, Value};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::{
    actors::{default_ids, Other, Phantom, Probe},
    lines::{answer, emit, hex, Failure, Outcome},
    requests::{remote_ref, run_ask, run_tell, usage},
    swarm::{self, Order, Orders, Settings},
};

const MAILBOX: usize = 64;
/// Without orders to the swarm, for Kameo's own bootstrap takes none.
const NO_SWARM: &str = "this node was bootstrapped by Kameo";

#[derive(Clone)]
enum Running {
    Probe(ActorRef<Probe>),
    Other(ActorRef<Other>),
}

macro_rules! with_actor {
    ($running:expr, $actor:ident => $body:expr) => {
        match $running {
            Running::Probe($actor) => $body,
            Running::Other($actor) => $body,
        }
    };
}

struct Node {
    orders: Option<Orders>,
    actors: HashMap<String, Running>,
}

fn probe_at<'a>(
    actors: &'a HashMap<String, Running>,
    alias: &str,
) -> Result<&'a ActorRef<Probe>, Failure> {
    match actors.get(alias) {
        Some(Running::Probe(actor)) => Ok(actor),
        _ => Err(usage(format!("no probe {alias}"))),
    }
}

async fn lookup<A: Actor + RemoteActor>(name: &str, all: bool) -> Outcome {
    let failed = |error| Failure::new("RegistryError", error);
    let ids: Vec<_> = if all {
        let found: Vec<_> = RemoteActorRef::<A>::lookup_all(name).collect().await;
        found.into_iter().collect::<Result<_, _>>().map_err(failed)?
    } else {
        RemoteActorRef::<A>::lookup(name).await.map_err(failed)?.into_iter().collect()
    };
    Ok(ids.iter().map(|found: &RemoteActorRef<A>| json!(hex(&found.id().to_bytes()))).collect())
}

async fn link_probe(own: ActorRef<Probe>, actor: &str, other: &str, link: bool) -> Outcome {
    let own = own.into_remote_ref().await;
    let result = match (actor, link) {
        ("phantom", _) => own.link_remote(&remote_ref::<Phantom>(other)?).await,
        ("other", _) => own.link_remote(&remote_ref::<Other>(other)?).await,
        (_, true) => own.link_remote(&remote_ref::<Probe>(other)?).await,
        (_, false) => own.unlink_remote(&remote_ref::<Probe>(other)?).await,
    };
    let failed = |error| Failure::new(format!("{error:?}").split(' ').next().unwrap(), error);
    result.map(|()| Value::Null).map_err(failed)
}

/// As a program does that has the actor itself, not a remote reference to it.
async fn link_own(own: ActorRef<Probe>, other: &str, link: bool) -> Outcome {
    let other = remote_ref::<Probe>(other)?;
    let result = match link {
        true => own.link_remote(&other).await,
        false => own.unlink_remote(&other).await,
    };
    result.map(|()| Value::Null).map_err(|error| Failure::new(format!("{error:?}"), error))
}

/// Two actors of other nodes.
async fn link_others(one: &str, two: &str, link: bool) -> Outcome {
    let (one, two) = (remote_ref::<Probe>(one)?, remote_ref::<Probe>(two)?);
    let result =
        if link { one.link_remote(&two).await } else { one.unlink_remote(&two).await };
    result.map(|()| Value::Null).map_err(|error| Failure::new(format!("{error:?}"), error))
}

async fn lookup_local(actor: &str, name: &str) -> Outcome {
    let failed = |error| Failure::new("RegistryError", error);
    let id = match actor {
        "probe" => ActorRef::<Probe>::lookup(name).await.map_err(failed)?.map(|found| found.id()),
        _ => ActorRef::<Other>::lookup(name).await.map_err(failed)?.map(|found| found.id()),
    };
    Ok(json!(id.map(|id| hex(&id.to_bytes()))))
}

impl Node {
    async fn spawn(&mut self, kind: &str, alias: &str, capacity: Option<&str>) -> Outcome {
        let room = capacity.map_or(Ok(MAILBOX), str::parse).map_err(usage)?;
        let (running, id) = match kind {
            "probe" | "frail" => {
                let args = (alias.to_string(), kind == "frail");
                let actor = Probe::spawn_with_mailbox(args, mailbox::bounded(room));
                (Running::Probe(actor.clone()), actor.into_remote_ref().await.id())
            }
            "other" => {
                let actor = Other::spawn_with_mailbox(Other, mailbox::bounded(room));
                (Running::Other(actor.clone()), actor.into_remote_ref().await.id())
            }
            _ => return Err(usage("no such kind of actor")),
        };
        self.actors.insert(alias.into(), running);
        Ok(json!(hex(&id.to_bytes())))
    }

    /// What must be done before the next line is read.
    async fn change(&mut self, words: &[&str]) -> Option<Outcome> {
        Some(match words {
            ["spawn", kind, alias, capacity @ ..] => {
                self.spawn(kind, alias, capacity.first().copied()).await
            }
            ["stop", alias] => match self.actors.remove(*alias) {
                Some(actor) => {
                    let stopped = with_actor!(&actor, actor => actor.stop_gracefully().await);
                    stopped.map(|()| Value::Null).map_err(|error| Failure::new("Stop", error))
                }
                None => Err(usage("no such actor")),
            },
            ["kill", alias] => match self.actors.remove(*alias) {
                Some(actor) => {
                    with_actor!(&actor, actor => actor.kill());
                    Ok(Value::Null)
                }
                None => Err(usage("no such actor")),
            },
            ["link_local", one, two] => {
                let pair = (probe_at(&self.actors, one), probe_at(&self.actors, two));
                match pair {
                    (Ok(one), Ok(two)) => {
                        one.link(two).await;
                        Ok(Value::Null)
                    }
                    (Err(failure), _) | (_, Err(failure)) => Err(failure),
                }
            }
            _ => return None,
        })
    }
}

/// What may take its time while other lines are read.
async fn request(
    orders: Option<Orders>,
    actors: HashMap<String, Running>,
    words: &[&str],
) -> Outcome {
    let give = |order| async move {
        match orders {
            Some(orders) => orders.give(order).await,
            None => Err(usage(NO_SWARM)),
        }
    };
    match words {
        ["listen", address] => give(Order::Listen(address.parse().map_err(usage)?)).await,
        ["dial", address] => give(Order::Dial(address.parse().map_err(usage)?)).await,
        ["hang_up", peer] => give(Order::HangUp(peer.parse().map_err(usage)?)).await,
        ["peers"] => give(Order::Peers).await,
        ["ask", rest @ ..] => run_ask(rest).await,
        ["tell", rest @ ..] => run_tell(rest, false).await,
        ["tell_ack", rest @ ..] => run_tell(rest, true).await,
        ["register", alias, name] => {
            let actor = actors.get(*alias).ok_or_else(|| usage("no such actor"))?;
            let registered = with_actor!(actor, actor => actor.register(*name).await);
            registered.map(|()| Value::Null).map_err(|error| Failure::new("RegistryError", error))
        }
        // After either of these two, Kameo looks at its next order only when its swarm has
        // something else to do; in a quiet network that may be never.
        ["unregister", name] => {
            let done = remote::unregister(*name).await;
            give(Order::Peers).await?;
            done.map(|()| Value::Null).map_err(|error| Failure::new("RegistryError", error))
        }
        ["lookup", "other", name] => lookup::<Other>(name, false).await,
        ["lookup", _, name] => lookup::<Probe>(name, false).await,
        ["lookup_all", "other", name] => lookup::<Other>(name, true).await,
        ["lookup_all", _, name] => lookup::<Probe>(name, true).await,
        ["lookup_local", actor, name] => {
            let found = lookup_local(actor, name).await;
            give(Order::Peers).await?;
            found
        }
        ["link", alias, actor, id] => {
            link_probe(probe_at(&actors, alias)?.clone(), actor, id, true).await
        }
        ["unlink", alias, actor, id] => {
            link_probe(probe_at(&actors, alias)?.clone(), actor, id, false).await
        }
        ["link_others", one, two] => link_others(one, two, true).await,
        ["unlink_others", one, two] => link_others(one, two, false).await,
        ["default_ids"] => Ok(default_ids()),
        ["link_own", alias, _, id] => link_own(probe_at(&actors, alias)?.clone(), id, true).await,
        ["unlink_own", alias, _, id] => {
            link_own(probe_at(&actors, alias)?.clone(), id, false).await
        }
        _ => Err(usage("no such command")),
    }
}

/// What the arguments say; Kameo's defaults where they say nothing.
fn settings(arguments: &[String]) -> Result<Settings, Box<dyn std::error::Error>> {
    let mut idle = Duration::from_secs(10);
    let mut messaging = messaging::Config::default();
    for argument in arguments {
        let (name, value) = argument.split_once('=').ok_or("NAME=VALUE")?;
        let number: u64 = value.parse()?;
        messaging = match name {
            "request_timeout" => messaging.with_request_timeout(Duration::from_millis(number)),
            "streams" => messaging.with_max_concurrent_streams(number as usize),
            "request_bytes" => messaging.with_request_size_maximum(number),
            "response_bytes" => messaging.with_response_size_maximum(number),
            _ => messaging,
        };
        if name == "idle" {
            idle = Duration::from_millis(number);
        }
    }
    Ok(Settings { idle, messaging, silent: false })
}

/// `node [idle=MS] [MESSAGING=NUMBER…]`, `node bootstrap=ADDRESS`; ends with its standard input.
pub async fn run(arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let option = |name: &str| arguments.iter().find_map(|text| text.strip_prefix(name));
    let (peer, orders) = match option("bootstrap=") {
        Some(address) => (remote::bootstrap_on(address)?, None),
        None => {
            let (peer, orders) = swarm::start(settings(arguments)?)?;
            (peer, Some(orders))
        }
    };
    emit(json!({ "event": "ready", "peer": peer.to_string() }));
    let mut node = Node { orders, actors: HashMap::new() };
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let words: Vec<&str> = line.split(' ').collect();
        let Some((tag, words)) = words.split_first() else { continue };
        if let Some(outcome) = node.change(words).await {
            answer(tag, outcome);
            continue;
        }
        let (orders, actors) = (node.orders.clone(), node.actors.clone());
        tokio::spawn(async move {
            let words: Vec<&str> = line.split(' ').collect();
            answer(words[0], request(orders, actors, &words[1..]).await);
        });
    }
    Ok(())
}
