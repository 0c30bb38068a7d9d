//! A complete upload looked at: its hash, its type, cleaned of what tells who made it where.

use std::io::{self, Read, Seek};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::clean::{self, Cleaned};
use super::{hex, sniff};
use crate::model::upload::{Content, Hash, Refusal, Upload};

/// What is stored of an upload.
pub struct Checked {
    /// What it is.
    pub content: Content,
    /// The bytes.
    pub file: NamedTempFile,
}

/// Checks and cleans the bytes of an upload; within, why the content is refused.
pub(super) fn inspect(upload: &Upload, mut file: NamedTempFile) -> io::Result<Result<Checked, Refusal>> {
    let (sha256, size) = hash(&mut file)?;
    if upload.wanted_sha256.is_some_and(|wanted| wanted != sha256) {
        return Ok(Err(Refusal::WrongHash { sha256: hex(&sha256) }));
    }
    let content_type = match sniff::content_type(file.as_file_mut())? {
        Ok(content_type) => content_type,
        Err(content_type) => return Ok(Err(Refusal::Damaged { content_type })),
    };
    if let Err(refusal) = upload.check_type(&content_type) {
        return Ok(Err(refusal));
    }
    let (sha256, size) = match clean::clean(&content_type, file.as_file_mut())? {
        Cleaned::Same => (sha256, size),
        Cleaned::Done => hash(&mut file)?,
        Cleaned::Broken => return Ok(Err(Refusal::Damaged { content_type })),
    };
    let content = Content { district: upload.district, sha256, size, content_type };
    Ok(Ok(Checked { content, file }))
}

/// Hash and size of a file.
fn hash(file: &mut NamedTempFile) -> io::Result<(Hash, i64)> {
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut bytes = [0; 64 << 10];
    file.rewind()?;
    loop {
        let length = file.read(&mut bytes)?;
        if length == 0 {
            return Ok((hash.finalize().into(), size));
        }
        hash.update(&bytes[..length]);
        size += length as i64;
    }
}
