//! WebP: a list of chunks, of which those that draw are kept.

use super::exif;

/// What draws.
const DRAWS: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
/// Flags of VP8X: that there is Exif, that there is XMP.
const HAS_EXIF: u8 = 0x08;
const HAS_XMP: u8 = 0x04;

/// The picture and its way up; `None` where it does not come to its end.
pub(super) fn clean(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(u32::from_le_bytes(*bytes.strip_prefix(b"RIFF")?.first_chunk()?)).ok()?;
    let mut rest = bytes.get(8..)?.get(..length)?.strip_prefix(b"WEBP")?;
    let mut kept = b"RIFF\0\0\0\0WEBP".to_vec();
    let (mut flags_at, mut way_up, mut has_data) = (None, None, false);
    while !rest.is_empty() {
        let kind: &[u8; 4] = rest.first_chunk()?;
        let length = usize::try_from(u32::from_le_bytes(*rest.get(4..)?.first_chunk()?)).ok()?;
        let data = rest.get(8..)?.get(..length)?;
        // Chunks begin at even places; some leave out the last one's padding.
        let (chunk, after) = rest.split_at_checked(8 + length + length % 2).unwrap_or((rest, &[]));
        if kind == b"VP8X" && !data.is_empty() {
            flags_at = Some(kept.len() + 8);
        } else if kind == b"EXIF" {
            way_up = exif::orientation(data.strip_prefix(exif::SIGN).unwrap_or(data));
        }
        if DRAWS.contains(&kind) {
            kept.extend(chunk);
            kept.resize(kept.len().next_multiple_of(2), 0);
        }
        has_data |= [b"VP8 ", b"VP8L", b"ANMF"].contains(&kind);
        rest = after;
    }
    if let Some(at) = flags_at {
        kept[at] &= !(HAS_EXIF | HAS_XMP);
        if let Some(way_up) = way_up {
            let exif = exif::only(way_up);
            kept[at] |= HAS_EXIF;
            kept.extend([&b"EXIF"[..], &(exif.len() as u32).to_le_bytes(), &exif].concat());
        }
    }
    let length = u32::try_from(kept.len() - 8).ok()?;
    kept[4..8].copy_from_slice(&length.to_le_bytes());
    has_data.then_some(kept)
}
