//! Files without what tells who made them, where and when: of images only known parts are copied, of sound and film the
//! places that hold such things are overwritten.

mod exif;
mod gif;
mod jpeg;
mod media;
mod png;
mod webp;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read, Seek, Write};

/// What cleaning did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cleaned {
    /// Nothing: a document stays as it is.
    Same,
    /// The file may have changed.
    Done,
    /// The file is broken: what cannot be read to its end is not known to be clean.
    Broken,
}

/// Cleans a file in place, whose type was found by its content, and which may be large where it is no image.
pub(super) fn clean(content_type: &str, file: &mut File) -> io::Result<Cleaned> {
    let is_whole = match content_type {
        "image/jpeg" => rewrite(file, jpeg::clean),
        "image/png" => rewrite(file, png::clean),
        "image/webp" => rewrite(file, webp::clean),
        "image/gif" => rewrite(file, gif::clean),
        "audio/mpeg" => media::blank_mp3(file),
        "audio/wav" => media::blank_wav(file),
        "audio/mp4" | "video/mp4" | "video/quicktime" | "video/3gpp" => media::blank_boxes(file),
        _ => return Ok(Cleaned::Same),
    };
    Ok(if is_whole? { Cleaned::Done } else { Cleaned::Broken })
}

fn rewrite(file: &mut File, clean: impl Fn(&[u8]) -> Option<Vec<u8>>) -> io::Result<bool> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    let Some(cleaned) = clean(&bytes) else { return Ok(false) };
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(&cleaned)?;
    Ok(true)
}
