#[path = "../../common/mod.rs"]
mod common;

fn main() {
    common::main();
}
