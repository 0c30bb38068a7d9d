//! Puts a message's wire bytes in the order that the one-pass walk expects.

use super::super::{
    tables::{Field, Kind, Message, Shape},
    wire::{Malformed, Reader, Tag, WireType, put_delimited, put_tag},
};
use super::fits;

/// A field, its tag, and the value after that.
type Span<'t, 'w> = (&'t Field, Tag, &'w [u8]);

/// The same message with every field in one run, singular fields once and one member of each oneof.
pub(super) fn untangle(message: &Message, wire: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut spans = known(message, wire)?;
    drop_ousted(message, &mut spans);
    spans.sort_by_key(|(field, ..)| field.number);
    let mut tidy = Vec::with_capacity(wire.len());
    for run in spans.chunk_by(|(a, ..), (b, ..)| a.number == b.number) {
        match (run[0].0.shape, run[0].0.kind, run) {
            (Shape::Single, Kind::Message(_), [_, _, ..]) => {
                let parts = run.iter().map(|(_, _, span)| Reader::new(span).delimited());
                let whole = parts.collect::<Result<Vec<_>, _>>()?.concat();
                put_tag(&mut tidy, run[0].1.number, WireType::Delimited);
                put_delimited(&mut tidy, &whole);
            }
            (Shape::Single, _, [.., last]) => put_span(&mut tidy, last),
            _ => run.iter().for_each(|span| put_span(&mut tidy, span)),
        }
    }
    Ok(tidy)
}

fn put_span(out: &mut Vec<u8>, (_, tag, span): &Span<'_, '_>) {
    put_tag(out, tag.number, tag.wire);
    out.extend_from_slice(span);
}

/// The fields that the descriptors know, in the order of the wire.
fn known<'t, 'w>(message: &'t Message, wire: &'w [u8]) -> Result<Vec<Span<'t, 'w>>, Malformed> {
    let mut spans = Vec::new();
    let mut reader = Reader::new(wire);
    while let Some(tag) = reader.tag()? {
        let start = reader.rest();
        reader.skip(tag)?;
        if let Some(field) = message.by_number(tag.number).filter(|field| fits(field, tag.wire)) {
            spans.push((field, tag, &start[..start.len() - reader.rest().len()]));
        }
    }
    Ok(spans)
}

/// Leaves of each oneof the last run of its last member: a member ends what came before it from another one.
fn drop_ousted(message: &Message, spans: &mut Vec<Span<'_, '_>>) {
    let mut last: Vec<Option<u32>> = vec![None; message.bits];
    let mut ended = vec![false; message.bits];
    spans.reverse();
    spans.retain(|(field, ..)| {
        ended[field.bit] |= *last[field.bit].get_or_insert(field.number) != field.number;
        !ended[field.bit]
    });
    spans.reverse();
}
