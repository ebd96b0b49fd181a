//! The actors: `probe`, which takes every message of the tests, and `other`, which is not one.

use std::{ops::ControlFlow, time::Duration};

use kameo::{
    actor::{ActorId, ActorRef, RemoteActorRef, WeakActorRef},
    error::{ActorStopReason, Infallible, PanicError},
    message::{Context, Message},
    remote::RemoteMessage,
    remote_message, Actor, RemoteActor,
};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use serde_json::{json, Value};

use super::{
    lines::{emit, hex},
    payloads::{for_each_payload, Payload},
};

#[derive(RemoteActor)]
#[remote_actor(id = "probe")]
pub struct Probe {
    alias: String,
    frail: bool, // stops as Kameo's actors do when a link dies; else carries on
}

/// What a handler answers with when it fails.
#[derive(Debug, Serialize, Deserialize)]
pub struct Fault {
    pub code: u32,
    pub text: String,
}

/// Waits before it answers; the mailbox fills meanwhile.
#[derive(Serialize, Deserialize)]
pub struct Nap {
    pub ms: u64,
}

/// Is told, and shown as an event.
#[derive(Serialize, Deserialize)]
pub struct Note {
    pub text: String,
}

/// Makes the handler fail; a tell stops the actor.
#[derive(Serialize, Deserialize)]
pub struct Fail {
    pub code: u32,
}

/// Makes the handler panic.
#[derive(Serialize, Deserialize)]
pub struct Panic {}

/// A large message; the answer is its size.
#[derive(Serialize, Deserialize)]
pub struct Swallow {
    pub load: ByteBuf,
}

/// Wants a large answer.
#[derive(Serialize, Deserialize)]
pub struct Weigh {
    pub bytes: u64,
}

/// Introduces an actor, which is told a note; the answer is who was asked.
#[derive(Serialize, Deserialize)]
pub struct Meet {
    pub acquaintance: RemoteActorRef<Probe>,
}

#[derive(Serialize, Deserialize)]
pub struct Met {
    pub by: RemoteActorRef<Probe>,
}

/// Whose message has the id that the macro gives it.
#[derive(Serialize, Deserialize)]
pub struct Plain {}

/// Gives a stop reason as its name, the text of a panic, and the actor whose death it was of, with the
/// name of that one's reason.
fn reason_of(reason: &ActorStopReason) -> (String, Value) {
    let debug = format!("{reason:?}");
    let name = debug.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let detail = match reason {
        ActorStopReason::Panicked(error) => json!({ "text": error.to_string() }),
        ActorStopReason::LinkDied { id, reason } => {
            json!({ "through": hex(&id.to_bytes()), "root": reason_of(reason).0 })
        }
        _ => json!({}),
    };
    (name.into(), detail)
}

impl Actor for Probe {
    type Args = (String, bool);
    type Error = Infallible;

    async fn on_start((alias, frail): Self::Args, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(Probe { alias, frail })
    }

    async fn on_panic(
        &mut self,
        _: WeakActorRef<Self>,
        error: PanicError,
    ) -> Result<ControlFlow<ActorStopReason>, Infallible> {
        Ok(ControlFlow::Break(ActorStopReason::Panicked(error)))
    }

    async fn on_link_died(
        &mut self,
        _: WeakActorRef<Self>,
        id: ActorId,
        reason: ActorStopReason,
    ) -> Result<ControlFlow<ActorStopReason>, Infallible> {
        let (name, detail) = reason_of(&reason);
        emit(json!({
            "event": "link_died",
            "actor": self.alias,
            "of": hex(&id.to_bytes()),
            "reason": name,
            "detail": detail,
        }));
        let carry_on = !self.frail || matches!(reason, ActorStopReason::Normal);
        Ok(match reason {
            _ if carry_on => ControlFlow::Continue(()),
            ActorStopReason::PeerDisconnected => ControlFlow::Break(reason),
            _ => ControlFlow::Break(ActorStopReason::LinkDied { id, reason: Box::new(reason) }),
        })
    }

    async fn on_stop(
        &mut self,
        _: WeakActorRef<Self>,
        reason: ActorStopReason,
    ) -> Result<(), Infallible> {
        let (name, detail) = reason_of(&reason);
        emit(json!({ "event": "stopped", "actor": self.alias, "reason": name, "detail": detail }));
        Ok(())
    }
}

macro_rules! echo {
    ($($case:literal $payload:ty),* $(,)?) => {$(
        #[remote_message($case)]
        impl Message<$payload> for Probe {
            type Reply = Result<$payload, Fault>;

            async fn handle(
                &mut self,
                message: $payload,
                _: &mut Context<Self, Self::Reply>,
            ) -> Self::Reply {
                let fault = Fault { code: 1, text: concat!($case, " differs").into() };
                message.is_sample().then_some(message).ok_or(fault)
            }
        }
    )*};
}
for_each_payload!(echo);

#[remote_message("nap")]
impl Message<Nap> for Probe {
    type Reply = u64;

    async fn handle(&mut self, nap: Nap, _: &mut Context<Self, u64>) -> u64 {
        emit(json!({ "event": "napping", "actor": self.alias, "ms": nap.ms }));
        tokio::time::sleep(Duration::from_millis(nap.ms)).await;
        nap.ms
    }
}

#[remote_message("note")]
impl Message<Note> for Probe {
    type Reply = ();

    async fn handle(&mut self, note: Note, _: &mut Context<Self, ()>) {
        emit(json!({ "event": "note", "actor": self.alias, "text": note.text }));
    }
}

#[remote_message("fail")]
impl Message<Fail> for Probe {
    type Reply = Result<(), Fault>;

    async fn handle(&mut self, fail: Fail, _: &mut Context<Self, Self::Reply>) -> Self::Reply {
        Err(Fault { code: fail.code, text: "as wished".into() })
    }
}

#[remote_message("panic")]
impl Message<Panic> for Probe {
    type Reply = ();

    async fn handle(&mut self, _: Panic, _: &mut Context<Self, ()>) {
        panic!("boom");
    }
}

#[remote_message("swallow")]
impl Message<Swallow> for Probe {
    type Reply = u64;

    async fn handle(&mut self, swallow: Swallow, _: &mut Context<Self, u64>) -> u64 {
        swallow.load.len() as u64
    }
}

#[remote_message("weigh")]
impl Message<Weigh> for Probe {
    type Reply = Result<ByteBuf, Fault>;

    async fn handle(&mut self, weigh: Weigh, _: &mut Context<Self, Self::Reply>) -> Self::Reply {
        Ok(vec![0xff; weigh.bytes as usize].into())
    }
}

#[remote_message("meet")]
impl Message<Meet> for Probe {
    type Reply = Result<Met, Fault>;

    async fn handle(&mut self, meet: Meet, ctx: &mut Context<Self, Self::Reply>) -> Self::Reply {
        let note = Note { text: format!("met by {}", self.alias) };
        let by = ctx.actor_ref().into_remote_ref().await;
        match meet.acquaintance.tell(&note).send() {
            Ok(()) => Ok(Met { by }),
            Err(error) => Err(Fault { code: 2, text: error.to_string() }),
        }
    }
}

#[remote_message]
impl Message<Plain> for Probe {
    type Reply = ();

    async fn handle(&mut self, _: Plain, _: &mut Context<Self, ()>) {}
}

/// What the macros made of the names of `Plain` and of an actor, and of what.
pub fn default_ids() -> Value {
    json!({
        "names": [
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION_MAJOR"),
            module_path!(),
            "Plain",
            "Probe",
        ],
        "message": <Probe as RemoteMessage<Plain>>::REMOTE_ID,
    })
}

/// Takes `nap` as a probe does, and is none.
#[derive(Actor, RemoteActor)]
#[remote_actor(id = "other")]
pub struct Other;

#[remote_message("nap")]
impl Message<Nap> for Other {
    type Reply = u64;

    async fn handle(&mut self, nap: Nap, _: &mut Context<Self, u64>) -> u64 {
        nap.ms
    }
}

/// Never runs here: a probe as somebody might take it who knows it badly.
#[derive(Actor)]
pub struct Stranger;

impl kameo::remote::RemoteActor for Stranger {
    const REMOTE_ID: &'static str = "probe";
}

/// Never runs anywhere: a type of actor that the other side lacks.
#[derive(Actor)]
pub struct Phantom;

impl kameo::remote::RemoteActor for Phantom {
    const REMOTE_ID: &'static str = "phantom of Rust";
}

macro_rules! send_only {
    ($($actor:ty, $id:literal, $message:ty;)*) => {$(
        impl kameo::remote::RemoteMessage<$message> for $actor {
            const REMOTE_ID: &'static str = $id;
        }

        impl Message<$message> for $actor {
            type Reply = u64;

            async fn handle(&mut self, _: $message, _: &mut Context<Self, u64>) -> u64 {
                0
            }
        }
    )*};
}
send_only! {
    Stranger, "nap", String; // not what a probe's nap looks like
    Stranger, "juggle", Nap; // no message of a probe
    Stranger, "note", Note; // a probe answers with nothing
    Phantom, "nap", Nap;
}

impl RemoteMessage<Fail> for Stranger {
    const REMOTE_ID: &'static str = "fail";
}

impl Message<Fail> for Stranger {
    type Reply = Result<u64, u64>; // not what a probe fails with

    async fn handle(&mut self, _: Fail, _: &mut Context<Self, Self::Reply>) -> Self::Reply {
        Err(0)
    }
}
