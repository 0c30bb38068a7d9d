//! GIF: a list of blocks, of which comments and what applications put in go, but for the number of loops.

/// The picture; `None` where it does not come to its end.
pub(super) fn clean(bytes: &[u8]) -> Option<Vec<u8>> {
    let has_sign = bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a");
    let head = has_sign.then_some(13 + colours(*bytes.get(10)?))?;
    let mut kept = bytes.get(..head)?.to_vec();
    let (mut rest, mut has_image) = (&bytes[head..], false);
    loop {
        let length = match rest.first()? {
            0x3b => {
                kept.push(0x3b);
                return has_image.then_some(kept);
            }
            0x2c => {
                let data = 11 + colours(*rest.get(9)?);
                has_image = true;
                data + blocks(rest.get(data..)?)?
            }
            0x21 => 2 + blocks(rest.get(2..)?)?,
            _ => return None,
        };
        let (block, after) = rest.split_at_checked(length)?;
        if block[0] == 0x2c || keeps(block) {
            kept.extend(block);
        }
        rest = after;
    }
}

/// Extensions that draw, and loops.
fn keeps(extension: &[u8]) -> bool {
    let loops = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];
    match extension[1] {
        0xf9 | 0x01 => true,
        0xff => extension.get(3..14).is_some_and(|name| loops.iter().any(|known| name == *known)),
        _ => false,
    }
}

/// How long the table of colours is that these flags tell of.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// How long a row of blocks is, with the empty one at its end.
fn blocks(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}
