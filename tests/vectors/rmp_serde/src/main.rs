// SPDX-License-Identifier: MIT
//! Writes tests/vectors/rmp_serde.txt: what rmp-serde, and so Kameo, reads and writes.
//!
//!     cargo run --release > ../rmp_serde.txt
//!
//! A line is a type of tests/unit/wire/message_shapes.h, msgpack that may be one of its values, and
//! how to_vec_named writes what was read, `-` for what is refused. Inputs are the values below in
//! both of rmp-serde's forms, the inputs written out below, and damaged copies of all of them.

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteBuf;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

const DAMAGED_PER_TYPE: usize = 60;

#[derive(Serialize, Deserialize, Clone)]
struct Newtype(u32);

#[derive(Serialize, Deserialize, Clone)]
struct TupleStruct(u32, String);

#[derive(Serialize, Deserialize, Clone)]
struct Point {
    x: f64,
    y: f64,
}

#[derive(Serialize, Deserialize, Clone)]
struct Numbers {
    a: u8,
    b: u16,
    c: u32,
    d: u64,
    e: i8,
    f: i16,
    g: i32,
    h: i64,
    i: f32,
    j: f64,
    k: bool,
    l: char,
}

#[derive(Serialize, Deserialize, Clone)]
enum Shape {
    Empty,
    Circle(f64),
    Line(Point, Point),
    Box { min: Point, max: Point },
    Named(Option<String>),
    Void(()),
}

#[derive(Serialize, Deserialize, Clone)]
enum Color {
    Red,
    Green,
    Blue,
}

#[derive(Serialize, Deserialize, Clone)]
struct Draw {
    name: String,
    shapes: Vec<Shape>,
    note: Option<String>,
    color: Color,
    thumb: Vec<u8>,
    #[serde(rename = "rawBytes")]
    raw: ByteBuf,
    origin: Point,
    took: Duration,
    done: (),
    tags: Pairs<String, u32>,
}

#[derive(Serialize, Deserialize, Clone)]
struct Options {
    a: Option<u32>,
    b: Option<Point>,
    c: Option<Vec<u16>>,
    d: Option<Box<Options>>,
}

#[derive(Serialize, Deserialize, Clone)]
struct Node {
    value: i32,
    next: Option<Box<Node>>,
}

#[derive(Serialize, Deserialize, Clone)]
enum Expr {
    Number(i64),
    Negate(Box<Expr>),
    Sum(Box<Expr>, Box<Expr>),
    Call { name: String, arguments: Vec<Expr> },
}

#[derive(Serialize, Deserialize, Clone)]
enum Failure {
    NotFound,
    Denied { by: String, code: i16 },
}

/// A map that keeps its order, so that what is read is written alike.
#[derive(Clone)]
struct Pairs<K, V>(Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for Pairs<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Deserialize<'de> for Pairs<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PairsVisitor<K, V>(PhantomData<(K, V)>);
        impl<'de, K: Deserialize<'de>, V: Deserialize<'de>> Visitor<'de> for PairsVisitor<K, V> {
            type Value = Pairs<K, V>;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(PairsVisitor(PhantomData))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let text: String = text.split_whitespace().collect();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
        .collect()
}

/// xorshift64*: the same damage in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    }
}

/// First bytes of every kind but bytes, which rmp-serde takes for structs of numbers.
const FIRST: [u8; 26] = [
    0x00, 0x01, 0x02, 0x7f, 0x80, 0x81, 0x82, 0x90, 0x91, 0x92, 0xa0, 0xa1, 0xa3, 0xc0, 0xc1, 0xc2,
    0xc3, 0xca, 0xcb, 0xcc, 0xcd, 0xcf, 0xd0, 0xd3, 0xdc, 0xff,
];

fn damaged(from: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = from.to_vec();
    for _ in 0..1 + random.below(2) {
        let at = random.below(bytes.len().max(1));
        match random.below(5) {
            0 | 1 if !bytes.is_empty() => bytes[at] = FIRST[random.below(FIRST.len())],
            2 => bytes.insert(at, FIRST[random.below(FIRST.len())]),
            3 if !bytes.is_empty() => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn lines<T: Serialize + DeserializeOwned>(name: &str, values: &[T], inputs: &[&str]) {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for value in values {
        all.push(rmp_serde::to_vec_named(value).expect("encodes"));
        all.push(rmp_serde::to_vec(value).expect("encodes"));
    }
    all.extend(inputs.iter().map(|input| unhex(input)));
    let mut random = Random(
        name.bytes()
            .fold(1, |seed, byte| seed * 31 + u64::from(byte)),
    );
    for _ in 0..DAMAGED_PER_TYPE {
        let from = all[random.below(values.len() * 2 + inputs.len())].clone();
        all.push(damaged(&from, &mut random));
    }
    let mut seen = BTreeSet::new();
    for input in all {
        if !seen.insert(input.clone()) {
            continue;
        }
        let output = match rmp_serde::from_slice::<T>(&input) {
            Ok(value) => hex(&rmp_serde::to_vec_named(&value).expect("encodes")),
            Err(_) => "-".to_string(),
        };
        let shown = if input.is_empty() {
            "-".to_string()
        } else {
            hex(&input)
        };
        println!("{name} {shown} {output}");
    }
}

fn point(x: f64, y: f64) -> Point {
    Point { x, y }
}

fn integers() {
    let inputs = [
        "00",
        "7f",
        "80",
        "ff",
        "e0",
        "cc00",
        "cc7f",
        "cc80",
        "ccff",
        "cd0000",
        "cdffff",
        "ce00000001",
        "ceffffffff",
        "cf0000000000000001",
        "cfffffffffffffffff",
        "cf8000000000000000",
        "d000",
        "d07f",
        "d080",
        "d17fff",
        "d18000",
        "d27fffffff",
        "d280000000",
        "d37fffffffffffffff",
        "d38000000000000000",
        "d3ffffffffffffffff",
        "ca3f800000",
        "cb3ff0000000000000",
        "c0",
        "c3",
        "a131",
        "9101",
        "c40101",
        "cc",
        "d3ffffff",
    ];
    lines::<u8>("u8", &[0, 127, 128, u8::MAX], &inputs);
    lines::<u16>("u16", &[0, 255, 256, u16::MAX], &inputs);
    lines::<u32>("u32", &[0, 65535, 65536, u32::MAX], &inputs);
    lines::<u64>("u64", &[0, 1 << 32, u64::MAX], &inputs);
    lines::<i8>("i8", &[0, -1, -32, -33, i8::MIN, i8::MAX], &inputs);
    lines::<i16>("i16", &[-128, -129, i16::MIN, i16::MAX], &inputs);
    lines::<i32>("i32", &[-32768, -32769, i32::MIN, i32::MAX], &inputs);
    lines::<i64>(
        "i64",
        &[i64::from(i32::MIN) - 1, i64::MIN, i64::MAX],
        &inputs,
    );
    lines::<f32>(
        "f32",
        &[0.0, -0.0, 0.1, f32::MIN_POSITIVE, f32::MAX, f32::INFINITY],
        &inputs,
    );
    lines::<f64>(
        "f64",
        &[0.0, -0.0, 0.1, 5e-324, f64::MAX, f64::NEG_INFINITY],
        &inputs,
    );
    lines::<bool>("bool", &[false, true], &inputs);
}

fn texts() {
    let inputs = [
        "a0",
        "a161",
        "d90161",
        "da000161",
        "db0000000161",
        "c40161",
        "c4026162",
        "a1ff",
        "c401ff",
        "a2c3a9",
        "a3e29883",
        "a4f09f9880",
        "a3eda080",
        "a4f4908080",
        "a26161",
        "90",
        "9161",
        "9301cc8003",
        "920102",
        "92cc8002",
        "92cd0080cc81",
        "91cd0100",
        "91ff",
        "dc000205ccff",
        "dd000000027f7f",
        "9302",
        "ddffffffff01",
        "80",
        "c0",
        "05",
        "d40161",
        "c403",
        "d905",
        "c502",
    ];
    lines::<char>("char", &['a', 'é', '☃', '😀', '\0'], &inputs);
    lines::<String>(
        "text",
        &[String::new(), "hi".into(), "☃".repeat(20), "x".repeat(300)],
        &inputs,
    );
    lines::<ByteBuf>(
        "bytes",
        &[
            ByteBuf::new(),
            ByteBuf::from(vec![1, 200]),
            ByteBuf::from(vec![7; 300]),
        ],
        &inputs,
    );
    lines::<Vec<u8>>(
        "octets",
        &[vec![], vec![1, 127], vec![1, 128, 255], vec![9; 20]],
        &inputs,
    );
}

fn structs() {
    let numbers = Numbers {
        a: 200,
        b: 60000,
        c: 1,
        d: u64::MAX,
        e: -1,
        f: -200,
        g: i32::MIN,
        h: i64::MAX,
        i: 0.5,
        j: -1.5,
        k: true,
        l: 'ß',
    };
    lines::<()>("unit", &[()], &["90", "80", "00", "c2", "c0c0"]);
    lines::<Newtype>(
        "newtype",
        &[Newtype(5), Newtype(70000)],
        &["9105", "a0", "c0", "81a13005"],
    );
    lines::<TupleStruct>(
        "tuple",
        &[TupleStruct(1, "a".into())],
        &[
            "9301a16100",
            "9101",
            "82a13001a131a161",
            "dc000201a161",
            "c40201a1",
        ],
    );
    lines::<Numbers>("numbers", &[numbers], &[]);
    lines::<Point>(
        "point",
        &[point(1.0, -2.5), point(0.1, 1e300)],
        &[
            "82a17801a17902",             // whole numbers for floating ones
            "82a17902a17801",             // in another order
            "83a17801a17902a17a81a17101", // an unknown field
            "83a17801a17901a17802",       // one twice
            "83a17801a17902a17a01",
            "83a17801a17902a17ac1", // an unknown value that is none
            "82c4017801c4017902",   // names as bytes
            "8200010102",
            "8201010002", // numbers of fields
            "83000101020503",
            "82ff01a17902", // and what is no number of any
            "81a17801",
            "9201",
            "9101",
            "93010203",
            "83c001a17801a17902",
            "839101c3a17801a17902",
            "83c301a17801a17902",
            "83cb3ff000000000000001a17801a17902",
            "82d9017801da00017902",
            "de0002a17801a17902",
            "df00000002a17801a17902",
            "dc00020102",
            "c0",
            "80",
            "90",
            "dfffffffff",
            "ddffffffff",
            "83a17801a17902a1ff01",
            "83a17801a17902a17ad40110",
            "83a17801a17902a17ac70301aabbcc",
        ],
    );
    lines::<Duration>(
        "duration",
        &[
            Duration::new(1, 500_000_000),
            Duration::ZERO,
            Duration::new(u64::MAX, 999_999_999),
        ],
        &[],
    );
    lines::<Options>(
        "options",
        &[
            Options {
                a: None,
                b: None,
                c: None,
                d: None,
            },
            Options {
                a: Some(1),
                b: Some(point(1.0, 2.0)),
                c: Some(vec![1, 300]),
                d: Some(Box::new(Options {
                    a: None,
                    b: None,
                    c: Some(vec![]),
                    d: None,
                })),
            },
        ],
        &[
            "80",
            "81a16101",
            "81a16480",
            "90",
            "94c0c0c0c0",
            "93c0c0c0",
            "81a17a01",
            "81a16480a16101",
        ],
    );
}

fn enums() {
    let both = [point(0.0, 0.0), point(1.0, 2.0)];
    lines::<Shape>(
        "shape",
        &[
            Shape::Empty,
            Shape::Circle(2.5),
            Shape::Line(both[0].clone(), both[1].clone()),
            Shape::Box {
                min: both[0].clone(),
                max: both[1].clone(),
            },
            Shape::Named(None),
            Shape::Named(Some("n".into())),
            Shape::Void(()),
        ],
        &[
            "81a5456d707479c0",
            "81a5456d70747990",
            "81a5456d70747901",
            "a6436972636c65",
            "a4566f6964",
            "a54e616d6564",
            "c405456d707479",
            "00",
            "810105",
            "01",
            "8105c0",
            "09",
            "8109c0",
            "ff",
            "c0",
            "80",
            "82a6436972636c6505a5456d707479c0",
            "81a3426f7892920000920000",
            "81a3426f789282a17800a17900920000",
            "91a5456d707479",
            "a5656d707479",
            "de0001a6436972636c6505",
            "df00000001a6436972636c6505",
        ],
    );
    lines::<Color>(
        "color",
        &[Color::Red, Color::Green, Color::Blue],
        &["00", "02", "03", "81a3526564c0", "8101c0", "a3726564"],
    );
    lines::<Result<u32, String>>(
        "result",
        &[Ok(1), Err("no".into())],
        &["a24f6b", "81a24f6bc0", "81a26f6b01"],
    );
    lines::<Result<(), Failure>>(
        "outcome",
        &[
            Ok(()),
            Err(Failure::NotFound),
            Err(Failure::Denied {
                by: "me".into(),
                code: -300,
            }),
        ],
        &["a24f6b", "81a24f6b90"],
    );
    lines::<Expr>(
        "expr",
        &[
            Expr::Number(-5),
            Expr::Sum(
                Box::new(Expr::Negate(Box::new(Expr::Number(1)))),
                Box::new(Expr::Call {
                    name: "f".into(),
                    arguments: vec![Expr::Number(2), Expr::Number(i64::MIN)],
                }),
            ),
        ],
        &[],
    );
}

fn collections() {
    let chain = Node {
        value: 1,
        next: Some(Box::new(Node {
            value: 2,
            next: None,
        })),
    };
    lines::<Vec<u32>>(
        "u32s",
        &[vec![], vec![1, 2, 70000], (0..20).collect()],
        &[
            "c403010280",
            "c400",
            "c0",
            "80",
            "9401",
            "ddffffffff",
            "a161",
            "91c0",
            "92ff01",
        ],
    );
    lines::<Vec<String>>(
        "texts",
        &[vec!["a".into(), "".into()]],
        &["c400", "c40161", "91c40161"],
    );
    lines::<Vec<Vec<i16>>>(
        "rows",
        &[vec![vec![1, -2], vec![], vec![300]]],
        &["91c4020180", "9192c0"],
    );
    lines::<Vec<Option<u8>>>(
        "maybes",
        &[vec![None, Some(1), Some(200)]],
        &["91c0", "92cc8000"],
    );
    lines::<[u8; 4]>(
        "key",
        &[[1, 2, 3, 200]],
        &["c404010203c8", "93010203", "950102030405"],
    );
    lines::<[Point; 2]>("corners", &[[point(1.0, 2.0), point(3.0, 4.0)]], &[]);
    lines::<Pairs<String, u32>>(
        "ages",
        &[
            Pairs(vec![]),
            Pairs(vec![("a".into(), 1), ("b".into(), 70000)]),
        ],
        &[
            "90",
            "c0",
            "81c4016101",
            "810101",
            "dfffffffff",
            "de0001a16101",
            "81a161c0",
        ],
    );
    lines::<Pairs<u8, Vec<Point>>>(
        "index",
        &[Pairs(vec![(1, vec![point(1.0, 2.0)]), (200, vec![])])],
        &[],
    );
    lines::<Option<String>>("note", &[None, Some("hi".into())], &["c401ff", "01"]);
    lines::<Option<Newtype>>("option_newtype", &[None, Some(Newtype(300))], &[]);
    lines::<Node>(
        "node",
        &[chain],
        &["81a576616c756501", "82a576616c756501a46e65787401"],
    );
    lines::<Draw>(
        "draw",
        &[
            Draw {
                name: "moon".into(),
                shapes: vec![
                    Shape::Circle(2.5),
                    Shape::Empty,
                    Shape::Line(point(0.0, 0.0), point(1.0, 1.0)),
                ],
                note: Some("n".into()),
                color: Color::Blue,
                thumb: vec![1, 200],
                raw: ByteBuf::from(vec![1, 200]),
                origin: point(0.5, 0.25),
                took: Duration::new(2, 7),
                done: (),
                tags: Pairs(vec![("a".into(), 1)]),
            },
            Draw {
                name: String::new(),
                shapes: vec![],
                note: None,
                color: Color::Red,
                thumb: vec![],
                raw: ByteBuf::new(),
                origin: point(0.0, 0.0),
                took: Duration::ZERO,
                done: (),
                tags: Pairs(vec![]),
            },
        ],
        &[],
    );
}

fn main() {
    println!("# Written by tests/vectors/rmp_serde: type, input, output of rmp-serde 1.3.1 or - for refused.");
    integers();
    texts();
    structs();
    enums();
    collections();
}
