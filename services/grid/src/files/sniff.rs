//! What a file is, by what it holds: names lie.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use encoding_rs::{DecoderResult, GB18030};
use infer::MatcherType;

/// How much of a file's beginning tells its type.
const HEAD: u64 = 8 << 10;
const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// Of bytes that are nothing known.
const UNKNOWN: &str = "application/octet-stream";

/// The content type of a file; `Err` of a type within where the file begins as that and is broken.
pub(super) fn content_type(file: &mut File) -> io::Result<Result<String, String>> {
    let mut head = Vec::new();
    file.rewind()?;
    file.by_ref().take(HEAD).read_to_end(&mut head)?;
    if head.get(4..10).is_some_and(|brand| brand == b"ftyp3g") {
        return Ok(Ok("video/3gpp".to_owned()));
    }
    let found = infer::get(&head).map(|kind| (kind.matcher_type(), kind.mime_type()));
    let known = match found {
        None => return text(file, &head),
        Some((_, DOCX | XLSX | "application/zip")) => return in_zip(file),
        Some((MatcherType::Text, mime)) | Some((_, mime @ "application/pdf")) => mime,
        // A table of people may well begin with letters that are some format's sign.
        _ if is_text(file)? => "text/csv",
        Some((_, "audio/m4a")) => "audio/mp4",
        Some((_, "audio/x-wav")) => "audio/wav",
        Some((_, "video/x-m4v")) => "video/mp4",
        Some((_, mime)) => mime,
    };
    Ok(Ok(known.to_owned()))
}

/// A document, by the part that each of its kind has; none that brings programs.
fn in_zip(file: &mut File) -> io::Result<Result<String, String>> {
    file.rewind()?;
    let Ok(archive) = zip::ZipArchive::new(BufReader::new(file)) else {
        return Ok(Err("application/zip".to_owned()));
    };
    let Ok(names) = archive.file_names().collect::<Result<Vec<_>, _>>() else {
        return Ok(Err("application/zip".to_owned()));
    };
    let has = |name: &str| names.iter().any(|found| found == name);
    let has_program = names.iter().any(|name| name.ends_with("vbaProject.bin"));
    let known = match () {
        () if has_program || !has("[Content_Types].xml") => "application/zip",
        () if has("xl/workbook.xml") => XLSX,
        () if has("word/document.xml") => DOCX,
        () => "application/zip",
    };
    Ok(Ok(known.to_owned()))
}

fn text(file: &mut File, head: &[u8]) -> io::Result<Result<String, String>> {
    if !is_text(file)? {
        return Ok(Ok(UNKNOWN.to_owned()));
    }
    let first = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).iter().find(|b| !b.is_ascii_whitespace());
    if first != Some(&b'{') {
        return Ok(Ok("text/csv".to_owned()));
    }
    file.rewind()?;
    let json: Result<serde::de::IgnoredAny, _> = serde_json::from_reader(BufReader::new(file));
    let geojson = "application/geo+json".to_owned();
    Ok(if json.is_ok() { Ok(geojson) } else { Err(geojson) })
}

/// Whether the whole file is UTF-8 or GB18030 without control characters.
fn is_text(file: &mut File) -> io::Result<bool> {
    let (mut utf8, mut gb18030) =
        (encoding_rs::UTF_8.new_decoder(), GB18030.new_decoder_without_bom_handling());
    let (mut is_utf8, mut is_gb18030) = (true, true);
    let mut bytes = [0; HEAD as usize];
    file.rewind()?;
    loop {
        let length = file.read(&mut bytes)?;
        let (piece, last) = (&bytes[..length], length == 0);
        if piece.iter().any(|b| b.is_ascii_control() && !b"\t\r\n\x0c".contains(b)) {
            return Ok(false);
        }
        is_utf8 = is_utf8 && decodes(&mut utf8, piece, last);
        is_gb18030 = is_gb18030 && decodes(&mut gb18030, piece, last);
        if last || !(is_utf8 || is_gb18030) {
            return Ok(is_utf8 || is_gb18030);
        }
    }
}

fn decodes(decoder: &mut encoding_rs::Decoder, piece: &[u8], last: bool) -> bool {
    // Room for whatever a piece can become.
    let mut out = [0; 4 * HEAD as usize];
    matches!(decoder.decode_to_utf8_without_replacement(piece, &mut out, last).0, DecoderResult::InputEmpty)
}
