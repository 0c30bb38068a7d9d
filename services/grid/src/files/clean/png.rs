//! PNG: a list of chunks, of which those that draw are kept.

const SIGN: &[u8] = b"\x89PNG\r\n\x1a\n";
/// What draws: the picture, its colours and its frames. Texts, Exif and times do not.
const DRAWS: [&[u8; 4]; 17] = [
    b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"bKGD",
    b"hIST", b"pHYs", b"acTL", b"fcTL", b"fdAT", b"IEND",
];

/// The picture; `None` where it does not come to its end.
pub(super) fn clean(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes.strip_prefix(SIGN)?;
    let mut kept = SIGN.to_vec();
    let mut has_data = false;
    loop {
        let length = usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?;
        let kind: &[u8; 4] = rest.get(4..)?.first_chunk()?;
        // A length, a kind and a sum around the data.
        let (chunk, after) = rest.split_at_checked(length.checked_add(12)?)?;
        if kept.len() == SIGN.len() && kind != b"IHDR" {
            return None;
        }
        if DRAWS.contains(&kind) {
            kept.extend(chunk);
        }
        has_data |= kind == b"IDAT";
        if kind == b"IEND" {
            return has_data.then_some(kept);
        }
        rest = after;
    }
}
