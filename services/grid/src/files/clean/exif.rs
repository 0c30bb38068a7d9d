//! Exif: the one thing that is kept of it is which way up the picture is.

/// What Exif begins with in a JPEG, and sometimes in a WebP.
pub(super) const SIGN: &[u8] = b"Exif\0\0";
const ORIENTATION: u16 = 0x0112;

/// The orientation in Exif without its sign, where it is another than upright.
pub(super) fn orientation(tiff: &[u8]) -> Option<u16> {
    let is_little = match tiff.first_chunk()? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let bytes = *tiff.get(at..)?.first_chunk()?;
        Some(if is_little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let first = *tiff.get(4..)?.first_chunk()?;
    let first = if is_little { u32::from_le_bytes(first) } else { u32::from_be_bytes(first) };
    let first = usize::try_from(first).ok()?;
    let entries = (0..short(first)?).map(|entry| first.saturating_add(2 + 12 * usize::from(entry)));
    let mut entries = entries.map_while(|at| Some((at, short(at)?)));
    let (found, _) = entries.find(|(_, tag)| *tag == ORIENTATION)?;
    short(found.checked_add(8)?).filter(|orientation| (2..=8).contains(orientation))
}

/// Exif, without its sign, that holds an orientation and nothing else.
pub(super) fn only(orientation: u16) -> Vec<u8> {
    let header = b"MM\0*\0\0\0\x08\0\x01";
    let entry = [&ORIENTATION.to_be_bytes()[..], b"\0\x03\0\0\0\x01", &orientation.to_be_bytes(), b"\0\0"];
    [&header[..], &entry.concat(), b"\0\0\0\0"].concat()
}
