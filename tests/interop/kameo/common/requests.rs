//! Asks and tells to actors of other nodes, by the words of a command.

use std::{fmt::Debug, time::Duration};

use kameo::{
    actor::RemoteActorRef,
    error::RemoteSendError,
    message::Message,
    remote::{RemoteActor, RemoteMessage},
    Actor, Reply,
};
use serde::{de::DeserializeOwned, Serialize};
use serde_bytes::ByteBuf;
use serde_json::{json, Value};

use super::{
    actors::{
        Fail, Fault, Meet, Nap, Note, Other, Panic, Phantom, Probe, Stranger, Swallow, Weigh,
    },
    lines::{hex, unhex, Failure, Outcome},
    payloads::{for_each_payload, Payload},
};

/// `mailbox=MS`, `reply=MS` and `try`, `enqueue` behind the words of a message.
#[derive(Clone, Copy, Default)]
struct Options {
    mailbox: Option<Duration>,
    reply: Option<Duration>,
    immediate: bool,
    enqueue: bool,
}

/// A message to send: `TYPE ID MESSAGE [ARGUMENT] [OPTION…]`.
struct Words<'a> {
    id: &'a str,
    message: &'a str,
    argument: &'a str,
    options: Options,
}

pub fn usage(text: impl ToString) -> Failure {
    Failure::new("Usage", text)
}

fn parse<'a>(words: &[&'a str]) -> Result<(&'a str, Words<'a>), Failure> {
    let [actor, id, message, rest @ ..] = words else {
        return Err(usage("TYPE ID MESSAGE"));
    };
    let mut parsed = Words { id, message, argument: "", options: Options::default() };
    let span = |ms: &str| ms.parse().map(Duration::from_millis).map(Some).map_err(usage);
    for word in rest {
        match word.split_once('=') {
            Some(("mailbox", ms)) => parsed.options.mailbox = span(ms)?,
            Some(("reply", ms)) => parsed.options.reply = span(ms)?,
            _ if *word == "try" => parsed.options.immediate = true,
            _ if *word == "enqueue" => parsed.options.enqueue = true,
            _ => parsed.argument = word,
        }
    }
    Ok((actor, parsed))
}

#[derive(Serialize)]
struct RefOnWire {
    id: ByteBuf,
}

/// Makes a reference as it comes inside a message.
pub fn remote_ref<A: Actor>(id: &str) -> Result<RemoteActorRef<A>, Failure> {
    let id = ByteBuf::from(unhex(id).ok_or_else(|| usage("an id is hexadecimal"))?);
    let encoded = rmp_serde::to_vec_named(&RefOnWire { id }).map_err(usage)?;
    rmp_serde::from_slice(&encoded).map_err(usage)
}

fn failure<E: Debug>(error: RemoteSendError<E>) -> Failure {
    let text = format!("{error:?}");
    let name = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    Failure::new(name, &text)
}

type AskResult<A, M> = Result<
    <<A as Message<M>>::Reply as Reply>::Ok,
    RemoteSendError<<<A as Message<M>>::Reply as Reply>::Error>,
>;

async fn ask<A, M>(id: &str, message: &M, options: Options) -> Result<Sent<A, M>, Failure>
where
    A: Actor + RemoteActor + Message<M> + RemoteMessage<M>,
    M: Serialize + Send + Sync + 'static,
    <A::Reply as Reply>::Ok: DeserializeOwned,
    <A::Reply as Reply>::Error: DeserializeOwned,
{
    let target = remote_ref::<A>(id)?;
    let request = target.ask(message);
    let result: AskResult<A, M> = match options {
        Options { immediate: true, reply: Some(reply), .. } => {
            request.reply_timeout(reply).try_send().await
        }
        Options { immediate: true, .. } => request.try_send().await,
        Options { mailbox: Some(mailbox), reply: Some(reply), .. } => {
            request.mailbox_timeout(mailbox).reply_timeout(reply).send().await
        }
        Options { mailbox: Some(mailbox), .. } => request.mailbox_timeout(mailbox).send().await,
        Options { reply: Some(reply), .. } => request.reply_timeout(reply).send().await,
        _ => request.send().await,
    };
    result.map_err(failure)
}

type Sent<A, M> = <<A as Message<M>>::Reply as Reply>::Ok;

async fn tell<A, M>(id: &str, message: &M, acknowledged: bool, options: Options) -> Outcome
where
    A: Actor + RemoteActor + Message<M> + RemoteMessage<M>,
    M: Serialize + Send + Sync + 'static,
{
    let target = remote_ref::<A>(id)?;
    let request = target.tell(message);
    let result = match (acknowledged, options) {
        (true, Options { immediate: true, .. }) => request.try_send_ack().await,
        (true, Options { mailbox: Some(span), .. }) => {
            request.mailbox_timeout(span).send_ack().await
        }
        (true, _) => request.send_ack().await,
        (false, Options { immediate: true, .. }) => request.try_send().await,
        (false, _) => request.send(),
    };
    result.map(|()| Value::Null).map_err(failure)
}

async fn echo<T>(id: &str) -> Outcome
where
    T: Payload + Sync,
    Probe: Message<T, Reply = Result<T, Fault>> + RemoteMessage<T>,
{
    let back = remote_ref::<Probe>(id)?.ask(&T::sample()).send().await.map_err(failure)?;
    let same = back.is_sample().then_some(Value::Null);
    same.ok_or_else(|| Failure::new("Mismatch", "the reply is not the sample"))
}

fn number(words: &Words) -> Result<u64, Failure> {
    words.argument.parse().map_err(usage)
}

fn load(words: &Words) -> Result<Swallow, Failure> {
    Ok(Swallow { load: vec![0xff; number(words)? as usize].into() })
}

async fn ask_probe(words: &Words<'_>) -> Outcome {
    let &Words { id, message, argument, options } = words;
    macro_rules! dispatch {
        ($($case:literal $payload:ty),* $(,)?) => {
            match message {
                $($case => echo::<$payload>(id).await,)*
                "nap" if options.enqueue => {
                    let target = remote_ref::<Probe>(id)?;
                    let nap = Nap { ms: number(words)? };
                    let request = target.ask(&nap);
                    let pending = match options.immediate {
                        true => request.try_enqueue(),
                        false => request.enqueue(),
                    };
                    Ok(json!(pending.map_err(usage)?.await.map_err(failure)?))
                }
                "nap" => {
                    let nap = Nap { ms: number(words)? };
                    Ok(json!(ask::<Probe, _>(id, &nap, options).await?))
                }
                "note" => {
                    let note = Note { text: argument.into() };
                    Ok(json!(ask::<Probe, _>(id, &note, options).await?))
                }
                "fail" => {
                    let fail = Fail { code: number(words)? as u32 };
                    Ok(json!(ask::<Probe, _>(id, &fail, options).await?))
                }
                "panic" => Ok(json!(ask::<Probe, _>(id, &Panic {}, options).await?)),
                "swallow" => Ok(json!(ask::<Probe, _>(id, &load(words)?, options).await?)),
                "weigh" => {
                    let weigh = Weigh { bytes: number(words)? };
                    let reply = ask::<Probe, _>(id, &weigh, options).await?;
                    let intact = reply.iter().all(|byte| *byte == 0xff);
                    Ok(json!({ "bytes": reply.len(), "intact": intact }))
                }
                "meet" => {
                    let meet = Meet { acquaintance: remote_ref(argument)? };
                    let met = ask::<Probe, _>(id, &meet, options).await?;
                    Ok(json!(hex(&met.by.id().to_bytes())))
                }
                _ => Err(usage("no such message")),
            }
        };
    }
    for_each_payload!(dispatch)
}

pub async fn run_ask(words: &[&str]) -> Outcome {
    let (actor, words) = parse(words)?;
    let nap = Nap { ms: words.argument.parse().unwrap_or(0) };
    let reply = match (actor, words.message) {
        ("probe", _) => return ask_probe(&words).await,
        ("other", "nap") => ask::<Other, _>(words.id, &nap, words.options).await,
        ("phantom", "nap") => ask::<Phantom, _>(words.id, &nap, words.options).await,
        ("stranger", "juggle") => ask::<Stranger, Nap>(words.id, &nap, words.options).await,
        ("stranger", "note") => {
            let note = Note { text: words.argument.into() };
            ask::<Stranger, Note>(words.id, &note, words.options).await
        }
        ("stranger", "fail") => {
            ask::<Stranger, Fail>(words.id, &Fail { code: 1 }, words.options).await
        }
        ("stranger", "nap") => {
            ask::<Stranger, String>(words.id, &"siesta".into(), words.options).await
        }
        _ => return Err(usage("no such actor or message")),
    };
    Ok(json!(reply?))
}

pub async fn run_tell(words: &[&str], acknowledged: bool) -> Outcome {
    let (actor, words) = parse(words)?;
    let Words { id, argument, options, .. } = words;
    let nap = Nap { ms: argument.parse().unwrap_or(0) };
    match (actor, words.message) {
        ("probe", "nap") => tell::<Probe, _>(id, &nap, acknowledged, options).await,
        ("probe", "note") => {
            tell::<Probe, _>(id, &Note { text: argument.into() }, acknowledged, options).await
        }
        ("probe", "fail") => {
            let fail = Fail { code: number(&words)? as u32 };
            tell::<Probe, _>(id, &fail, acknowledged, options).await
        }
        ("probe", "panic") => tell::<Probe, _>(id, &Panic {}, acknowledged, options).await,
        ("probe", "swallow") => tell::<Probe, _>(id, &load(&words)?, acknowledged, options).await,
        ("other", "nap") => tell::<Other, _>(id, &nap, acknowledged, options).await,
        ("phantom", "nap") => tell::<Phantom, _>(id, &nap, acknowledged, options).await,
        ("stranger", "juggle") => tell::<Stranger, Nap>(id, &nap, acknowledged, options).await,
        ("stranger", "nap") => {
            tell::<Stranger, String>(id, &"siesta".into(), acknowledged, options).await
        }
        _ => Err(usage("no such actor or message")),
    }
}
