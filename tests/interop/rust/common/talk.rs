// SPDX-License-Identifier: MIT

//! The stream protocols of the interoperability tests.

use crate::{
    node::{done, failed, Order},
    protocol,
    streams::{Control, Inbound},
    Failure, PREFIX,
};
use futures::{
    future::{join_all, try_join},
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    StreamExt,
};
use libp2p::{PeerId, Stream, StreamProtocol};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{
        atomic::{AtomicU32, AtomicU64, Ordering},
        Arc, Mutex,
    },
};
use tokio::sync::watch;

const CHUNK_BYTES: usize = 16384;

/// Bytes that running commands have written.
type Progress = Arc<Mutex<HashMap<String, Arc<AtomicU64>>>>;

/// What is sent: 32-bit words, little-endian, a function of place and salt.
struct Pattern {
    salt: u32,
    at: usize,
    size: usize,
}

impl Pattern {
    fn new(salt: u32, size: usize) -> Self {
        Self { salt, at: 0, size }
    }

    fn next(&mut self) -> Option<Vec<u8>> {
        let size = CHUNK_BYTES.min(self.size - self.at);
        let byte = |i: usize| {
            let word = ((i / 4) as u32)
                .wrapping_add(self.salt.wrapping_mul(1_000_003))
                .wrapping_add(1)
                .wrapping_mul(0x9e37_79b1);
            (word >> (8 * (i % 4))) as u8
        };
        let chunk: Vec<u8> = (self.at..self.at + size).map(byte).collect();
        self.at += size;
        (size > 0).then_some(chunk)
    }
}

#[derive(Clone)]
pub struct Talker {
    control: Control,
    released: watch::Sender<bool>,
    progress: Progress,
    salts: Arc<AtomicU32>,
}

impl Talker {
    /// Accepts the protocols of the tests, and answers what comes.
    pub fn serve(control: Control, mut inbound: Inbound) -> Self {
        let talker = Self {
            control,
            released: watch::Sender::new(false),
            progress: Progress::default(),
            salts: Arc::default(),
        };
        for name in ["echo", "bulk", "hold", "early"] {
            talker.offer(protocol(name));
        }
        let answering = talker.clone();
        tokio::spawn(async move {
            while let Some((stream, name)) = inbound.next().await {
                let talker = answering.clone();
                tokio::spawn(async move {
                    let ended = talker.answer(name.as_ref(), stream).await;
                    let why = ended.map_or_else(|error| error.to_string(), |()| "OK".into());
                    println!("stream-ended protocol={name} why={}", why.replace(' ', "_"));
                });
            }
        });
        talker
    }

    /// Accepts one more protocol. Whatever is not of these tests is echoed.
    pub fn offer(&self, name: StreamProtocol) {
        self.control.accept(name);
    }

    async fn answer(&self, name: &str, stream: Stream) -> Result<(), Failure> {
        match name.strip_prefix(PREFIX).unwrap_or("") {
            "/bulk/1.0.0" => answer_bulk(stream).await,
            "/hold/1.0.0" => self.answer_hold(stream).await,
            "/early/1.0.0" => answer_early(stream).await,
            _ => {
                let (read, mut write) = stream.split();
                futures::io::copy(read, &mut write).await?;
                Ok(write.close().await?)
            }
        }
    }

    async fn answer_hold(&self, mut stream: Stream) -> Result<(), Failure> {
        self.released.subscribe().wait_for(|released| *released).await?;
        let size = futures::io::copy(&mut stream, &mut futures::io::sink()).await?;
        stream.write_all(size.to_string().as_bytes()).await?;
        Ok(stream.close().await?)
    }

    pub fn release(&self) {
        self.released.send_replace(true);
    }

    pub fn progress(&self, id: &str) -> u64 {
        let progress = self.progress.lock().expect("no task panics with it");
        progress.get(id).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Does a command on streams of its own, and answers it.
    pub fn talk(&self, peer: PeerId, order: Order) {
        let talker = self.clone();
        tokio::spawn(async move {
            match talker.attempt(peer, &order).await {
                Ok(()) => done(&order.id, ""),
                Err(error) => failed(&order.id, error),
            }
        });
    }

    async fn attempt(&self, peer: PeerId, order: &Order) -> Result<(), Failure> {
        match order.verb.as_str() {
            "open" => {
                let name = StreamProtocol::try_from_owned(order.arg(1).into())?;
                Ok(self.control.open(peer, name).await?.close().await?)
            }
            "echo" => {
                let all = (0..order.number(1)).map(|_| self.echo(peer, order.number(2)));
                join_all(all).await.into_iter().collect::<Result<(), _>>()
            }
            "bulk" => {
                let stream = self.control.open(peer, protocol("bulk")).await?;
                bulk(stream, self.salt(), order.number(1), order.number(2)).await
            }
            "hold" => self.hold(peer, order).await,
            "early" => {
                let mut stream = self.control.open(peer, protocol("early")).await?;
                let mut said = String::new();
                stream.read_to_string(&mut said).await?;
                if said != "enough" {
                    return Err("what came is not what was to come".into());
                }
                Ok(send(&mut stream, Pattern::new(0, order.number(1)), |_| ()).await?)
            }
            "reset" => {
                let mut stream = self.control.open(peer, protocol("echo")).await?;
                stream.write_all(&[0; 10]).await?;
                stream.flush().await?;
                stream.read_exact(&mut [0; 10]).await?;
                Ok(()) // dropped without a close: it is reset
            }
            verb => Err(format!("no such verb: {verb}").into()),
        }
    }

    fn salt(&self) -> u32 {
        self.salts.fetch_add(1, Ordering::Relaxed)
    }

    async fn echo(&self, peer: PeerId, size: usize) -> Result<(), Failure> {
        let salt = self.salt();
        let (mut read, mut write) = self.control.open(peer, protocol("echo")).await?.split();
        try_join(
            async { Ok(send(&mut write, Pattern::new(salt, size), |_| ()).await?) },
            expect_pattern(&mut read, Pattern::new(salt, size)),
        )
        .await?;
        Ok(())
    }

    async fn hold(&self, peer: PeerId, order: &Order) -> Result<(), Failure> {
        let count = Arc::new(AtomicU64::new(0));
        self.progress
            .lock()
            .expect("no task panics with it")
            .insert(order.id.clone(), count.clone());
        let mut stream = self.control.open(peer, protocol("hold")).await?;
        let sent = |chunk: &[u8]| {
            count.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        };
        send(&mut stream, Pattern::new(0, order.number(1)), sent).await?;
        let mut counted = String::new();
        stream.read_to_string(&mut counted).await?;
        if counted != order.arg(1) {
            return Err(format!("{counted} bytes arrived").into());
        }
        Ok(())
    }
}

/// Sends all of the pattern, and the end.
async fn send<W: AsyncWriteExt + Unpin>(
    to: &mut W,
    mut pattern: Pattern,
    mut sent: impl FnMut(&[u8]),
) -> std::io::Result<()> {
    while let Some(chunk) = pattern.next() {
        to.write_all(&chunk).await?;
        sent(&chunk);
    }
    to.close().await
}

async fn expect_pattern(from: &mut ReadHalf<Stream>, mut pattern: Pattern) -> Result<(), Failure> {
    while let Some(wanted) = pattern.next() {
        let mut got = vec![0; wanted.len()];
        from.read_exact(&mut got).await?;
        if got != wanted {
            return Err("what came is not what was to come".into());
        }
    }
    match from.read(&mut [0]).await? {
        0 => Ok(()),
        _ => Err("more came than was to come".into()),
    }
}

async fn digest_of<R: AsyncReadExt + Unpin>(from: &mut R, size: usize) -> Result<Vec<u8>, Failure> {
    let mut digest = Sha256::new();
    let mut left = size;
    let mut buffer = vec![0; 65536];
    while left > 0 {
        let room = left.min(buffer.len());
        let got = from.read(&mut buffer[..room]).await?;
        if got == 0 && size == usize::MAX {
            break; // to the end, wherever that is
        }
        if got == 0 {
            return Err("it ended early".into());
        }
        digest.update(&buffer[..got]);
        left -= got;
    }
    Ok(digest.finalize().to_vec())
}

/// Uploads, then downloads; the digests of both are compared.
async fn bulk(stream: Stream, salt: u32, up: usize, down: usize) -> Result<(), Failure> {
    let (mut read, mut write): (ReadHalf<Stream>, WriteHalf<Stream>) = stream.split();
    write.write_all(&(down as u64).to_be_bytes()).await?;
    let mut sent = Sha256::new();
    send(&mut write, Pattern::new(salt, up), |chunk| sent.update(chunk)).await?;
    let (mut theirs, mut tail) = ([0; 32], Vec::new());
    read.read_exact(&mut theirs).await?;
    let got = digest_of(&mut read, down).await?;
    read.read_to_end(&mut tail).await?;
    if theirs[..] != sent.finalize()[..] || tail != got {
        return Err("what came is not what was to come".into());
    }
    Ok(())
}

async fn answer_bulk(mut stream: Stream) -> Result<(), Failure> {
    let mut want = [0; 8];
    stream.read_exact(&mut want).await?;
    let digest = digest_of(&mut stream, usize::MAX).await?;
    stream.write_all(&digest).await?;
    let mut sent = Sha256::new();
    let mut pattern = Pattern::new(0, u64::from_be_bytes(want) as usize);
    while let Some(chunk) = pattern.next() {
        stream.write_all(&chunk).await?;
        sent.update(&chunk);
    }
    stream.write_all(&sent.finalize()).await?;
    Ok(stream.close().await?)
}

async fn answer_early(mut stream: Stream) -> Result<(), Failure> {
    stream.write_all(b"enough").await?;
    stream.close().await?;
    let size = futures::io::copy(&mut stream, &mut futures::io::sink()).await?;
    println!("early bytes={size}");
    Ok(())
}
