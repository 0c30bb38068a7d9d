//! JPEG: a list of segments, of which those for decoding are kept, up to the end of the first picture.

use super::exif;

const START: [u8; 2] = [0xff, 0xd8];
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const APP1: u8 = 0xe1;

/// The picture, its way up, its colour profile; `None` where it does not come to its end. What lies behind that end goes:
/// phones put second pictures with Exif of their own there, and whole films.
pub(super) fn clean(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes.strip_prefix(&START)?;
    let mut kept = START.to_vec();
    let (mut has_scan, mut has_way_up) = (false, false);
    loop {
        let marker;
        (marker, rest) = next_marker(rest)?;
        match marker {
            END if has_scan => {
                kept.extend([0xff, END]);
                return Some(kept);
            }
            END => return None,
            // Markers without a segment mean something within a scan only.
            0x01 | 0xd0..=0xd8 => continue,
            _ => (),
        }
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        let (segment, after) = rest.split_at_checked(length.max(2))?;
        rest = after;
        let content = &segment[2..];
        if keeps(marker, content) {
            kept.extend([0xff, marker]);
            kept.extend(segment);
        } else if marker == APP1 && !has_way_up {
            let way_up = content.strip_prefix(exif::SIGN).and_then(exif::orientation);
            has_way_up = way_up.is_some();
            kept.extend(way_up.map(segment_of).unwrap_or_default());
        }
        if marker == SCAN {
            let scan = scan_length(rest)?;
            kept.extend(&rest[..scan]);
            rest = &rest[scan..];
            has_scan = true;
        }
    }
}

/// The next marker, and what follows it.
fn next_marker(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let rest = bytes.strip_prefix(&[0xff])?;
    let fill = rest.iter().take_while(|byte| **byte == 0xff).count();
    let (marker, rest) = rest[fill..].split_first()?;
    Some((*marker, rest))
}

/// Of what applications put in: JFIF's, colour profiles and Adobe's kind of colours. Everything else but comments decodes.
fn keeps(marker: u8, content: &[u8]) -> bool {
    match marker {
        0xe0 => content.starts_with(b"JFIF\0"),
        0xe2 => content.starts_with(b"ICC_PROFILE\0"),
        0xee => content.starts_with(b"Adobe"),
        0xe1..=0xef | 0xfe => false,
        _ => true,
    }
}

fn segment_of(way_up: u16) -> Vec<u8> {
    let content = [exif::SIGN, &exif::only(way_up)].concat();
    let length = (content.len() as u16 + 2).to_be_bytes();
    [&[0xff, APP1], &length[..], &content].concat()
}

/// How long a scan's data are: up to the next marker that is none of theirs.
fn scan_length(bytes: &[u8]) -> Option<usize> {
    let own = |next: u8| next == 0 || next == 0xff || (0xd0..=0xd7).contains(&next);
    bytes.windows(2).position(|pair| pair[0] == 0xff && !own(pair[1]))
}
