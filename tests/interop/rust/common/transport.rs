// SPDX-License-Identifier: MIT

//! The conventions of libp2p's transport interoperability suite, over TCP with Noise and yamux.

use crate::Failure;
use futures::StreamExt;
use libp2p::{
    multiaddr::Protocol, noise, ping, swarm::SwarmEvent, tcp, yamux, Multiaddr, SwarmBuilder,
};
use std::{
    env,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

fn setting(name: &str) -> Result<String, Failure> {
    env::var(name).map_err(|_| format!("{name} is not set").into())
}

/// Sends one command and reads one answer; an array gives its last text.
async fn redis(words: &[&str]) -> Result<String, Failure> {
    let mut stream = BufReader::new(TcpStream::connect(setting("redis_addr")?).await?);
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request += &format!("${}\r\n{word}\r\n", word.len());
    }
    stream.write_all(request.as_bytes()).await?;
    let (mut left, mut last) = (1, String::new());
    while left > 0 {
        left -= 1;
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let (kind, rest) = line.trim_end().split_at(1);
        match kind {
            "*" => left += rest.parse::<usize>()?,
            "$" => {
                let mut text = vec![0; rest.parse::<usize>()? + 2];
                stream.read_exact(&mut text).await?;
                text.truncate(text.len() - 2);
                last = String::from_utf8(text)?;
            }
            ":" | "+" => last = rest.into(),
            _ => return Err(format!("redis says {}", line.trim_end()).into()),
        }
    }
    Ok(last)
}

pub async fn run() -> Result<(), Failure> {
    let seconds = setting("test_timeout_seconds").map_or(Ok(180), |text| text.parse())?;
    tokio::time::timeout(Duration::from_secs(seconds), test(seconds)).await?
}

async fn test(seconds: u64) -> Result<(), Failure> {
    let pings = ping::Config::new().with_interval(Duration::from_secs(1));
    let mut swarm = SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)?
        .with_behaviour(|_| ping::Behaviour::new(pings))?
        .with_swarm_config(|config| {
            config.with_idle_connection_timeout(Duration::from_secs(seconds))
        })
        .build();
    if setting("is_dialer")? == "true" {
        let seconds = seconds.to_string();
        let address: Multiaddr = redis(&["BLPOP", "listenerAddr", &seconds]).await?.parse()?;
        let began = Instant::now();
        swarm.dial(address)?;
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::Behaviour(ping::Event { result: Ok(time), .. }) => {
                    println!(
                        "{{\"handshakePlusOneRTTMillis\": {:.3}, \"pingRTTMilllis\": {:.3}}}",
                        began.elapsed().as_secs_f64() * 1e3,
                        time.as_secs_f64() * 1e3
                    );
                    return Ok(());
                }
                SwarmEvent::OutgoingConnectionError { error, .. } => return Err(error.into()),
                _ => {}
            }
        }
    }
    swarm.listen_on(format!("/ip4/{}/tcp/0", setting("ip")?).parse()?)?;
    let mut told = false;
    loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            let loopback = address.to_string().contains("127.0.0.1");
            if !told && (!loopback || setting("ip")? != "0.0.0.0") {
                let whole = address.with(Protocol::P2p(*swarm.local_peer_id()));
                redis(&["RPUSH", "listenerAddr", &whole.to_string()]).await?;
                told = true;
            }
        }
    }
}
