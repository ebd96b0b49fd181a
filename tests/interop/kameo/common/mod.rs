//! What the programs for each version of Kameo share; their APIs agree.

mod actors;
mod bench;
mod lines;
mod node;
mod payloads;
mod requests;
mod swarm;

pub fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let result = runtime.block_on(async {
        match arguments.split_first() {
            Some((verb, rest)) if verb == "node" => node::run(rest).await,
            Some((verb, rest)) if verb == "bench" => bench::run(rest).await,
            _ => Err("usage: node [NAME=NUMBER… | bootstrap=ADDRESS] | bench …".into()),
        }
    });
    if let Err(error) = result {
        eprintln!("{error}");
        std::process::exit(1);
    }
    std::process::exit(0); // without waiting for tasks that wait for a network
}
