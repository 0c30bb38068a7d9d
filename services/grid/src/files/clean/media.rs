//! Sound and film: places that tell who and where are overwritten, nothing moves.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

mod samples;

/// More parts than any device writes: a file of nothing but small ones would mean hours of work.
const MOST_PARTS: u32 = 100_000;
/// The largest table that is read, in bytes.
const TABLE: u64 = 4 << 20;

/// MP4 and its kin (ISO base media): boxes within boxes. Those of users and the makers' become free room, and so do tracks
/// of neither picture nor sound, with their samples: cameras write positions there. False where a box does not end.
pub(super) fn blank_boxes(file: &mut File) -> io::Result<bool> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut film = Film { file, has_movie: false, parts: 0 };
    Ok(film.walk(0, end, 0)? && film.has_movie)
}

struct Film<'a> {
    file: &'a mut File,
    has_movie: bool,
    /// How many boxes were looked at.
    parts: u32,
}

/// Where a box is: its header, its content, its end.
#[derive(Clone, Copy)]
struct Place {
    kind: [u8; 4],
    start: u64,
    content: u64,
    end: u64,
}

impl Film<'_> {
    /// Boxes of a film (depth 0), of its `moov` (1), of a track (2).
    fn walk(&mut self, start: u64, end: u64, depth: usize) -> io::Result<bool> {
        let mut at = start;
        // Some makers close a list with four zero bytes.
        while end - at >= 8 {
            let Some(place) = self.place(at, end)? else { return Ok(false) };
            let is_fine = match &place.kind {
                b"udta" | b"meta" | b"uuid" | b"skip" | b"free" => self.free(place)?,
                b"trak" if depth == 1 => self.track(place)?,
                b"moov" if depth == 0 => {
                    self.has_movie = true;
                    self.walk(place.content, place.end, 1)?
                }
                _ => true,
            };
            if !is_fine {
                return Ok(false);
            }
            at = place.end;
        }
        Ok(true)
    }

    /// The box at a place; `None` where it does not end within `end`.
    fn place(&mut self, start: u64, end: u64) -> io::Result<Option<Place>> {
        let header: [u8; 8] = read(self.file, start)?;
        let short = u64::from(u32::from_be_bytes([header[0], header[1], header[2], header[3]]));
        let kind = [header[4], header[5], header[6], header[7]];
        let (header, size) = match short {
            0 => (8, end - start),
            1 if end - start >= 16 => (16, u64::from_be_bytes(read(self.file, start + 8)?)),
            size => (8, size),
        };
        self.parts += 1;
        let fits = size >= header && size <= end - start && self.parts <= MOST_PARTS;
        Ok(fits.then(|| Place { kind, start, content: start + header, end: start + size }))
    }

    /// Makes a box free room.
    fn free(&mut self, place: Place) -> io::Result<bool> {
        self.file.seek(SeekFrom::Start(place.start + 4))?;
        self.file.write_all(b"free")?;
        zero(self.file, place.content, place.end)?;
        Ok(true)
    }

    /// A track of picture or sound loses what its users said; another goes with its samples.
    fn track(&mut self, track: Place) -> io::Result<bool> {
        let Some(media) = self.find(track, b"mdia")? else { return Ok(false) };
        let Some(handler) = self.find(media, b"hdlr")? else { return Ok(false) };
        if handler.end - handler.content < 12 {
            return Ok(false);
        }
        let kind: [u8; 4] = read(self.file, handler.content + 8)?;
        if [b"vide", b"soun"].contains(&&kind) {
            return self.walk(track.content, track.end, 2);
        }
        let mut table = Some(media);
        for kind in [b"minf", b"stbl"] {
            table = match table {
                Some(outer) => self.find(outer, kind)?,
                None => None,
            };
        }
        let Some(table) = table else { return self.free(track) };
        Ok(self.blank_samples(table)? && self.free(track)?)
    }

    /// The first box of a kind within another.
    fn find(&mut self, outer: Place, kind: &[u8; 4]) -> io::Result<Option<Place>> {
        let mut at = outer.content;
        while outer.end - at >= 8 {
            let Some(place) = self.place(at, outer.end)? else { return Ok(None) };
            if place.kind == *kind {
                return Ok(Some(place));
            }
            at = place.end;
        }
        Ok(None)
    }

    /// The content of a box of a kind within another; `None` where there is none, or it is too large.
    fn content(&mut self, outer: Place, kind: &[u8; 4]) -> io::Result<Option<Vec<u8>>> {
        let Some(place) = self.find(outer, kind)? else { return Ok(None) };
        if place.end - place.content > TABLE {
            return Ok(None);
        }
        let mut content = Vec::new();
        self.file.seek(SeekFrom::Start(place.content))?;
        Read::by_ref(self.file).take(place.end - place.content).read_to_end(&mut content)?;
        Ok(Some(content))
    }

    /// Overwrites the samples of a track; false where its tables do not say where they are.
    fn blank_samples(&mut self, table: Place) -> io::Result<bool> {
        let sizes = self.content(table, b"stsz")?;
        let runs = self.content(table, b"stsc")?;
        let (offsets, width) = match self.content(table, b"stco")? {
            Some(offsets) => (Some(offsets), 4),
            None => (self.content(table, b"co64")?, 8),
        };
        let (Some(sizes), Some(runs), Some(offsets)) = (sizes, runs, offsets) else { return Ok(false) };
        let Some(places) = samples::places(&sizes, &runs, &offsets, width) else { return Ok(false) };
        let end = self.file.seek(SeekFrom::End(0))?;
        // Samples do not overlap: else a small table could mean endless work.
        let total = places.iter().map(|place| place.end - place.start).fold(0, u64::saturating_add);
        if total > end || places.iter().any(|place| place.end > end) {
            return Ok(false);
        }
        for place in places {
            zero(self.file, place.start, place.end)?;
        }
        Ok(true)
    }
}

/// WAV: chunks that are neither format nor sound become free room. False where a chunk does not end.
pub(super) fn blank_wav(file: &mut File) -> io::Result<bool> {
    let end = file.seek(SeekFrom::End(0))?;
    let (mut at, mut has_sound, mut parts) = (12, false, 0);
    while at < end {
        parts += 1;
        if end - at < 8 || parts > MOST_PARTS {
            return Ok(false);
        }
        let header: [u8; 8] = read(file, at)?;
        let length = u64::from(u32::from_le_bytes([header[4], header[5], header[6], header[7]]));
        let (content, next) = (at + 8, at + 8 + length);
        if next > end {
            return Ok(false);
        }
        match &header[..4] {
            b"data" => has_sound = true,
            b"fmt " | b"fact" => (),
            _ => {
                file.seek(SeekFrom::Start(at))?;
                file.write_all(b"JUNK")?;
                zero(file, content, next)?;
            }
        }
        at = next + length % 2;
    }
    Ok(has_sound)
}

/// MP3: the tags before and behind the sound. False where a tag does not end.
pub(super) fn blank_mp3(file: &mut File) -> io::Result<bool> {
    let end = file.seek(SeekFrom::End(0))?;
    let (mut at, mut parts) = (0, 0);
    while end - at >= 10 {
        parts += 1;
        let header: [u8; 10] = read(file, at)?;
        if !header.starts_with(b"ID3") {
            break;
        }
        let length = header[6..].iter().fold(0, |length, byte| length << 7 | u64::from(byte & 0x7f));
        let next = at + 10 + length;
        if next > end || parts > MOST_PARTS {
            return Ok(false);
        }
        // Zeroes are a tag's padding.
        zero(file, at + 10, next)?;
        at = next;
    }
    if end - at >= 128 && read::<3>(file, end - 128)? == *b"TAG" {
        zero(file, end - 125, end)?;
    }
    Ok(end > at)
}

fn read<const N: usize>(file: &mut File, at: u64) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn zero(file: &mut File, start: u64, end: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(start))?;
    io::copy(&mut io::repeat(0).take(end.saturating_sub(start)), file).map(|_| ())
}
