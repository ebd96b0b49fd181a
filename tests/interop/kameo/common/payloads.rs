//! What is sent as message and as reply, with one sample each; `peer.c` has the same samples.
//!
//! A message comes back as it was: who handles it compares it with the sample, and so does who
//! asked.

use std::collections::BTreeMap;

use serde::{de::DeserializeOwned, Deserialize, Serialize};
use serde_bytes::ByteBuf;

pub trait Payload: Serialize + DeserializeOwned + Send + 'static {
    fn sample() -> Self;

    /// Compares by what is sent, so that a NaN equals itself.
    fn is_sample(&self) -> bool {
        let encode = |value: &Self| rmp_serde::to_vec_named(value).expect("a payload encodes");
        encode(self) == encode(&Self::sample())
    }
}

/// Names every payload: `$callback!(case type, …)`.
macro_rules! for_each_payload {
    ($callback:ident) => {
        $callback! {
            "nil" (),
            "unit_struct" crate::common::payloads::Marker,
            "empty_struct" crate::common::payloads::Hollow,
            "struct" crate::common::payloads::Record,
            "newtype" crate::common::payloads::Meters,
            "text" String,
            "tuple" crate::common::payloads::Pair,
            "option" crate::common::payloads::Maybe,
            "list" crate::common::payloads::Shelf,
            "map" crate::common::payloads::Ages,
            "bytes" crate::common::payloads::Blob,
            "integers" crate::common::payloads::Extremes,
            "floats" crate::common::payloads::Floats,
            "enum" crate::common::payloads::Shape,
            "enums" crate::common::payloads::Shapes,
            "nested" crate::common::payloads::Outer,
            "empty" crate::common::payloads::Empties,
        }
    };
}
pub(crate) use for_each_payload;

impl Payload for () {
    fn sample() {}
}

#[derive(Serialize, Deserialize)]
pub struct Marker;

impl Payload for Marker {
    fn sample() -> Self {
        Marker
    }
}

#[derive(Serialize, Deserialize)]
pub struct Hollow {}

impl Payload for Hollow {
    fn sample() -> Self {
        Hollow {}
    }
}

#[derive(Serialize, Deserialize)]
pub struct Record {
    amount: i64,
    name: String,
    flag: bool,
}

impl Payload for Record {
    fn sample() -> Self {
        Record { amount: -300, name: "Zoë".into(), flag: true }
    }
}

#[derive(Serialize, Deserialize)]
pub struct Meters(u64);

impl Payload for Meters {
    fn sample() -> Self {
        Meters(1_000_000)
    }
}

impl Payload for String {
    fn sample() -> Self {
        "naïve 🦀\0text".into()
    }
}

#[derive(Serialize, Deserialize)]
pub struct Pair(i32, String);

impl Payload for Pair {
    fn sample() -> Self {
        Pair(-7, "seven".into())
    }
}

#[derive(Serialize, Deserialize)]
pub struct Maybe {
    present: Option<i64>,
    absent: Option<i64>,
    text: Option<String>,
    record: Option<Record>,
}

impl Payload for Maybe {
    fn sample() -> Self {
        Maybe { present: Some(5), absent: None, text: Some("here".into()), record: None }
    }
}

#[derive(Serialize, Deserialize)]
pub struct Shelf {
    numbers: Vec<i64>,
    words: Vec<String>,
}

impl Payload for Shelf {
    fn sample() -> Self {
        Shelf {
            numbers: vec![0, -1, 127, 128, -129, 65536],
            words: vec!["a".into(), "".into(), "ccc".into()],
        }
    }
}

#[derive(Serialize, Deserialize)]
pub struct Ages {
    ages: BTreeMap<String, u32>,
}

impl Payload for Ages {
    fn sample() -> Self {
        let ages = [("ada", 36), ("bob", 0), ("eve", 70_000)];
        Ages { ages: ages.map(|(name, age)| (name.into(), age)).into() }
    }
}

/// The same bytes as serde sends a `Vec<u8>`, which is a list, and as `serde_bytes` does.
#[derive(Serialize, Deserialize)]
pub struct Blob {
    plain: Vec<u8>,
    packed: ByteBuf,
}

impl Payload for Blob {
    fn sample() -> Self {
        let bytes = vec![0, 1, 127, 128, 200, 255];
        Blob { plain: bytes.clone(), packed: bytes.into() }
    }
}

#[derive(Serialize, Deserialize)]
pub struct Extremes {
    u32_max: u32,
    u64_max: u64,
    i32_min: i32,
    i32_max: i32,
    i64_min: i64,
    i64_max: i64,
    zero: u64,
    minus_one: i64,
}

impl Payload for Extremes {
    fn sample() -> Self {
        Extremes {
            u32_max: u32::MAX,
            u64_max: u64::MAX,
            i32_min: i32::MIN,
            i32_max: i32::MAX,
            i64_min: i64::MIN,
            i64_max: i64::MAX,
            zero: 0,
            minus_one: -1,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub struct Floats {
    f32_half: f32,
    f32_max: f32,
    f32_tiny: f32,
    f32_infinite: f32,
    f64_tenth: f64,
    f64_max: f64,
    f64_minus_zero: f64,
    f64_nan: f64,
}

impl Payload for Floats {
    fn sample() -> Self {
        Floats {
            f32_half: 1.5,
            f32_max: f32::MAX,
            f32_tiny: f32::MIN_POSITIVE,
            f32_infinite: f32::NEG_INFINITY,
            f64_tenth: 0.1,
            f64_max: f64::MAX,
            f64_minus_zero: -0.0,
            f64_nan: f64::NAN,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub enum Shape {
    Nothing,
    Circle(f64),
    Box(u32, u32),
    Polygon { name: String, sides: u32 },
}

impl Payload for Shape {
    fn sample() -> Self {
        Shape::Polygon { name: "hexagon".into(), sides: 6 }
    }
}

#[derive(Serialize, Deserialize)]
pub struct Shapes {
    shapes: Vec<Shape>,
}

impl Payload for Shapes {
    fn sample() -> Self {
        Shapes {
            shapes: vec![Shape::Nothing, Shape::Circle(0.5), Shape::Box(3, 400), Shape::sample()],
        }
    }
}

#[derive(Serialize, Deserialize)]
pub struct Outer {
    record: Record,
    records: Vec<Record>,
    maybe: Maybe,
}

impl Payload for Outer {
    fn sample() -> Self {
        Outer {
            record: Record::sample(),
            records: vec![Record { amount: 1, name: "one".into(), flag: false }, Record::sample()],
            maybe: Maybe { record: Some(Record::sample()), ..Maybe::sample() },
        }
    }
}

#[derive(Serialize, Deserialize)]
pub struct Empties {
    text: String,
    packed: ByteBuf,
    list: Vec<i64>,
    ages: BTreeMap<String, u32>,
}

impl Payload for Empties {
    fn sample() -> Self {
        Empties {
            text: String::new(),
            packed: ByteBuf::new(),
            list: Vec::new(),
            ages: BTreeMap::new(),
        }
    }
}
