//! CSV: the encodings and delimiters that offices in China meet, rows numbered as Excel numbers them.
//!
//! UTF-8 with or without a mark, UTF-16 with one (Excel's "Unicode text"), else GB18030, as Excel in China saves it. A row
//! is held in memory, never more: where a quotation mark is not closed within `MAX_ROW` bytes, the line it stands in is
//! given up as one broken row and reading goes on with the next line.

use std::fs::File;
use std::io::{Read, Seek};

use encoding_rs::{Decoder, Encoding, GB18030, UTF_8};

use super::read::Sink;
use super::{Fault, MAX_COLUMNS, MAX_ROW, Refusal, Row};

/// How much is read at once, in bytes.
const CHUNK: usize = 1 << 16;

/// Gives the rows to `sink`.
pub(super) fn read(mut file: File, sink: Sink<'_>) -> Result<(), Refusal> {
    let encoding = encoding(&mut file)?;
    let mut text = Text::new(file, encoding);
    text.fill()?;
    let delimiter = delimiter(text.rest());
    let mut number = 0;
    while !text.is_over() {
        number += 1;
        let row = match record(text.rest(), delimiter, text.ended) {
            Some((cells, used)) => {
                text.at += used;
                if cells.len() > MAX_COLUMNS {
                    return Err(Refusal::Unreadable);
                }
                Row::of(number, cells)
            }
            None if !text.ended && text.rest().len() <= MAX_ROW => {
                number -= 1;
                text.fill()?;
                continue;
            }
            None => broken(&mut text, number)?,
        };
        if sink(row).is_break() {
            break;
        }
    }
    Ok(())
}

/// Gives up the line at hand.
fn broken(text: &mut Text, number: u64) -> Result<Row, Refusal> {
    let line = text.rest().iter().position(|&byte| byte == b'\n');
    let Some(line) = line.filter(|at| *at < MAX_ROW).or(text.ended.then(|| text.rest().len())) else {
        text.skip_line()?;
        return Ok(Row::broken(number, Fault::TooLong));
    };
    text.at += (line + 1).min(text.rest().len());
    Ok(Row::broken(number, Fault::OpenQuote))
}

/// The cells of the first record and how many bytes it takes; `None` where its end is not there or it is too long.
fn record(text: &[u8], delimiter: u8, ended: bool) -> Option<(Vec<String>, usize)> {
    let mut cells = Vec::new();
    let mut cell = Vec::new();
    let (mut quoted, mut at) = (false, 0);
    // At the start of a cell, where alone a quotation mark opens one.
    let mut fresh = true;
    while let Some(&byte) = text.get(at).filter(|_| at < MAX_ROW) {
        at += 1;
        match byte {
            b'"' if quoted && text.get(at) == Some(&b'"') => {
                cell.push(b'"');
                at += 1;
            }
            // Whether the mark closes the cell, the next byte says.
            b'"' if quoted && at == text.len() && !ended => return None,
            b'"' if quoted => quoted = false,
            b'"' if fresh => quoted = true,
            _ if quoted => cell.push(byte),
            b'\r' | b'\n' => {
                if byte == b'\r' && at == text.len() && !ended {
                    return None;
                }
                let both = byte == b'\r' && text.get(at) == Some(&b'\n');
                cells.push(finished(&mut cell));
                return Some((cells, at + usize::from(both)));
            }
            _ if byte == delimiter => cells.push(finished(&mut cell)),
            _ => cell.push(byte),
        }
        fresh = byte == delimiter && !quoted;
    }
    let complete = ended && !quoted && at == text.len();
    complete.then(|| {
        cells.push(finished(&mut cell));
        (cells, at)
    })
}

fn finished(cell: &mut Vec<u8>) -> String {
    let text = String::from_utf8(std::mem::take(cell)).unwrap_or_default();
    // What `write` puts before what Excel would take for a formula.
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(super::write::FORMULA) => rest.to_owned(),
        _ => text,
    }
}

/// Tab where the first line has more of them than commas.
fn delimiter(text: &[u8]) -> u8 {
    let line = text.split(|byte| matches!(byte, b'\r' | b'\n')).find(|line| !line.is_empty());
    let count = |wanted: u8| line.unwrap_or_default().iter().filter(|byte| **byte == wanted).count();
    if count(b'\t') > count(b',') { b'\t' } else { b',' }
}

/// By the mark at the start, else UTF-8 where all of it is, else GB18030. Leaves the file at its start.
fn encoding(file: &mut File) -> Result<&'static Encoding, Refusal> {
    let mut chunk = vec![0; CHUNK];
    let mut kept = 0;
    let mut first = true;
    let found = loop {
        let read = file.read(&mut chunk[kept..])?;
        let length = kept + read;
        if std::mem::take(&mut first)
            && let Some((encoding, _)) = Encoding::for_bom(&chunk[..length])
        {
            break encoding;
        }
        let valid = match std::str::from_utf8(&chunk[..length]) {
            Ok(_) => length,
            // A character may be cut by the end of the chunk.
            Err(error) if error.error_len().is_none() && read > 0 => error.valid_up_to(),
            Err(_) => break GB18030,
        };
        if read == 0 {
            break UTF_8;
        }
        chunk.copy_within(valid..length, 0);
        kept = length - valid;
    };
    file.rewind()?;
    Ok(found)
}

/// The file as UTF-8, as far as it has been read.
struct Text {
    file: File,
    decoder: Decoder,
    raw: Vec<u8>,
    text: Vec<u8>,
    /// Where the next record begins.
    at: usize,
    /// Whether all of the file is in `text`.
    ended: bool,
}

impl Text {
    fn new(file: File, encoding: &'static Encoding) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        Self { file, decoder, raw: vec![0; CHUNK], text: Vec::new(), at: 0, ended: false }
    }

    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn is_over(&self) -> bool {
        self.ended && self.at == self.text.len()
    }

    /// Forgets what was used and reads on.
    fn fill(&mut self) -> Result<(), Refusal> {
        self.text.drain(..self.at);
        self.at = 0;
        let read = self.file.read(&mut self.raw)?;
        self.ended = read == 0;
        let room = self.decoder.max_utf8_buffer_length(read).ok_or(Refusal::TooLarge)?;
        let start = self.text.len();
        self.text.resize(start + room, 0);
        let (_, _, written, _) =
            self.decoder.decode_to_utf8(&self.raw[..read], &mut self.text[start..], self.ended);
        self.text.truncate(start + written);
        Ok(())
    }

    /// Goes behind the next end of a line.
    fn skip_line(&mut self) -> Result<(), Refusal> {
        loop {
            if let Some(end) = self.rest().iter().position(|&byte| byte == b'\n') {
                self.at += end + 1;
                return Ok(());
            }
            self.at = self.text.len();
            if self.ended {
                return Ok(());
            }
            self.fill()?;
        }
    }
}
