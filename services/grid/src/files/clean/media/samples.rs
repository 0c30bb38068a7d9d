//! Where the samples of a track are, by its tables.

use std::ops::Range;

/// More than any camera writes of positions in a film.
const MOST: usize = 1 << 20;

/// The chunks of a track: sizes of samples (`stsz`), how many a chunk has (`stsc`), where chunks begin (`stco` or `co64`, of
/// numbers of 4 or 8 bytes). `None` where the tables contradict each other.
pub(super) fn places(sizes: &[u8], runs: &[u8], offsets: &[u8], width: usize) -> Option<Vec<Range<u64>>> {
    let mut sample_sizes = sample_sizes(sizes)?;
    let runs = entries(runs, 12)?.map(|run| Some((word(run, 0)?, word(run, 4)?)));
    let mut runs = runs.collect::<Option<Vec<(u64, u64)>>>()?.into_iter().peekable();
    let mut in_chunk = None;
    let mut places = Vec::new();
    for (chunk, offset) in (1..).zip(entries(offsets, width)?) {
        let start = offset.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        while let Some((_, samples)) = runs.next_if(|(first, _)| *first <= chunk) {
            in_chunk = Some(samples);
        }
        let mut length = 0;
        for _ in 0..in_chunk? {
            length += sample_sizes.next()?;
        }
        places.push(start..start.checked_add(length)?);
    }
    Some(places)
}

/// The size of each sample.
fn sample_sizes(table: &[u8]) -> Option<Box<dyn Iterator<Item = u64> + '_>> {
    let (same, count) = (word(table, 4)?, usize::try_from(word(table, 8)?).ok()?);
    match same {
        0 => {
            let rest = table.get(12..)?.chunks_exact(4);
            (rest.len() >= count).then(|| Box::new(rest.take(count).filter_map(|size| word(size, 0))) as _)
        }
        _ => (count <= MOST).then(|| Box::new(std::iter::repeat_n(same, count)) as _),
    }
}

/// The entries of a table of so many bytes each, behind its version and its length.
fn entries(table: &[u8], width: usize) -> Option<impl Iterator<Item = &[u8]>> {
    let count = usize::try_from(word(table, 4)?).ok()?;
    let entries = table.get(8..)?.chunks_exact(width);
    (entries.len() >= count).then(|| entries.take(count))
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?).into())
}
