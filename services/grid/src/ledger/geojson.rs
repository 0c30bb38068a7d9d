//! GeoJSON: the features of a collection one after the other, as rows of a code and a boundary.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::read::Sink;
use super::{Refusal, Row};

/// The largest feature, in bytes; what an area's boundary may be is less.
const MAX_FEATURE: usize = 4 << 20;

/// The properties that may hold the area's code, the first that is there counts.
const CODES: [&str; 5] = ["code", "区域代码", "代码", "area", "id"];

/// Gives the features to `sink`, after a header.
pub(super) fn read(file: File, sink: Sink<'_>) -> Result<(), Refusal> {
    let left = Rc::new(Cell::new(MAX_FEATURE));
    let reader = Bounded { inner: BufReader::new(file), left: left.clone() };
    if sink(Row::of(0, vec!["code".into(), "boundary".into()])).is_break() {
        return Ok(());
    }
    let state = State { sink, left: left.clone(), number: 0, stopped: false, found: false };
    let state = Rc::new(std::cell::RefCell::new(state));
    let mut json = serde_json::Deserializer::from_reader(reader);
    let done = Collection(state.clone()).deserialize(&mut json);
    let state = state.borrow();
    match done {
        _ if state.stopped => Ok(()),
        _ if left.get() == 0 => Err(Refusal::TooLarge),
        Ok(()) if state.found && json.end().is_ok() => Ok(()),
        _ => Err(Refusal::Unreadable),
    }
}

struct State<'a> {
    sink: Sink<'a>,
    left: Rc<Cell<usize>>,
    number: u64,
    stopped: bool,
    /// Whether the member `features` was there.
    found: bool,
}

type Shared<'a> = Rc<std::cell::RefCell<State<'a>>>;

#[derive(Deserialize)]
struct Feature {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    properties: Value,
    #[serde(default)]
    geometry: Value,
}

impl Feature {
    fn row(self, number: u64) -> Row {
        let code = CODES.iter().find_map(|name| text(self.properties.get(*name)?));
        let code = code.or_else(|| text(&self.id)).unwrap_or_default();
        let boundary = if self.geometry.is_null() { String::new() } else { self.geometry.to_string() };
        let mut row = Row::of(number, vec![code]);
        row.cells.resize(1, String::new());
        row.cells.push(boundary);
        row
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The collection: a map whose member `features` is a list.
struct Collection<'a>(Shared<'a>);

impl<'de> DeserializeSeed<'de> for Collection<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Collection<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a FeatureCollection")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<String>()? {
            if name == "features" {
                self.0.borrow_mut().found = true;
                members.next_value_seed(Features(self.0.clone()))?;
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

struct Features<'a>(Shared<'a>);

impl<'de> DeserializeSeed<'de> for Features<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Features<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of features")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut features: A) -> Result<(), A::Error> {
        while let Some(feature) = features.next_element::<Feature>()? {
            let mut state = self.0.borrow_mut();
            state.left.set(MAX_FEATURE);
            state.number += 1;
            let row = feature.row(state.number);
            if (state.sink)(row).is_break() {
                state.stopped = true;
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// A reader that ends with an error where one feature takes too much.
struct Bounded<R> {
    inner: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::Error::other("too large"));
        }
        let most = buffer.len().min(left);
        let read = self.inner.read(&mut buffer[..most])?;
        self.left.set(left - read);
        Ok(read)
    }
}
