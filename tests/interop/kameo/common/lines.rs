//! The line protocol: commands come in as words, answers and events go out as JSON, one a line.

use std::io::Write;

use serde_json::{json, Value};

/// Writes one line; whoever reads them may be gone.
pub fn emit(line: Value) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// What a command came to; `error` is the name of the failure.
pub struct Failure {
    pub error: String,
    pub text: String,
}

impl Failure {
    pub fn new(error: impl Into<String>, text: impl ToString) -> Self {
        Failure { error: error.into(), text: text.to_string() }
    }
}

pub type Outcome = Result<Value, Failure>;

pub fn answer(tag: &str, outcome: Outcome) {
    emit(match outcome {
        Ok(value) => json!({ "tag": tag, "ok": value }),
        Err(Failure { error, text }) => json!({ "tag": tag, "error": error, "text": text }),
    });
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let pairs = digits.chunks_exact(2);
    pairs.remainder().is_empty().then(|| pairs.map(|pair| (pair[0] * 16 + pair[1]) as u8).collect())
}
