//! Uploads 上传: which chunk may come next, what a finished one may be, and why one is refused.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// The largest chunk, in bytes.
pub const MAX_CHUNK: usize = 1 << 20;
/// The largest image, in bytes: one is held in memory while it is cleaned.
pub const MAX_IMAGE: i64 = 32 << 20;
/// The largest file that a resident may upload without a token, in bytes.
pub const MAX_PUBLIC: i64 = 10 << 20;
/// How many unfinished uploads without a token a district takes in a minute.
pub const PUBLIC_PER_MINUTE: i64 = 20;

/// A SHA-256.
pub type Hash = [u8; 32];

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// An attachment 附件: a photo, sound, film or document that evidence refers to.
    Attachment,
    /// Rows to be imported 导入.
    Import,
}

/// A file's content as it is stored: its key is district and hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The district.
    pub district: i32,
    /// Of the bytes as stored, which is after cleaning.
    pub sha256: Hash,
    /// How many bytes.
    pub size: i64,
    /// Its type, e.g. `image/jpeg`, by what it holds, not by its name.
    pub content_type: String,
}

/// How far an upload is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Chunks are missing, or all are there and it is about to be finished.
    Receiving,
    /// It is this content.
    Finished(Content),
    /// What it holds was refused; it stays so.
    Refused(Refusal),
}

/// A file on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The district.
    pub district: i32,
    /// The id; an attachment that it becomes has the same.
    pub id: Uuid,
    /// The subject of who uploads; `None` for a resident without a token.
    pub uploader: Option<String>,
    /// The hash of the secret that a resident without a token holds.
    pub secret_hash: Option<Hash>,
    /// What the file is called.
    pub file_name: String,
    /// How many bytes are to come.
    pub size: i64,
    /// What they must hash to, where said.
    pub wanted_sha256: Option<Hash>,
    /// What the file is for.
    pub purpose: Purpose,
    /// How many bytes are there, from the beginning.
    pub received: i64,
    /// In how many chunks.
    pub chunks: i32,
    /// How far it is.
    pub progress: Progress,
    /// When it was begun.
    pub create_time: OffsetDateTime,
}

/// What to do with a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: its bytes are there.
    Known,
    /// Keep it: it is the next.
    Next,
}

/// Why an upload goes no further.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The chunk does not begin where the received bytes end.
    WrongOffset {
        /// Where they end.
        received: i64,
    },
    /// More bytes than announced, or than a file of its kind may have.
    TooLarge {
        /// How many there may be.
        limit: i64,
    },
    /// So many chunks are not needed.
    TooManyChunks {
        /// How many there may be.
        limit: i32,
    },
    /// The bytes do not hash to what was said.
    WrongHash {
        /// What they hash to, in hexadecimal.
        sha256: String,
    },
    /// Files of that type are not taken.
    TypeNotAllowed {
        /// What the content is.
        content_type: String,
        /// What it may be.
        allowed: Vec<String>,
    },
    /// The content is broken: it begins as this type and does not go on as such.
    Damaged {
        /// What it begins as.
        content_type: String,
    },
    /// The upload is not finished.
    Unfinished,
    /// It was not finished in time.
    Expired,
    /// Too many unfinished uploads without a token in the district's last minute.
    TooManyPublic,
}

/// What images may be: all that are cleaned.
pub const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "image/gif"];
/// What else an attachment may be.
const OTHERS: [&str; 11] = [
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "audio/mpeg",
    "audio/mp4",
    "audio/aac",
    "audio/amr",
    "audio/wav",
    "video/mp4",
    "video/quicktime",
    "video/3gpp",
];
/// What rows to be imported may be.
const IMPORTS: [&str; 3] =
    ["text/csv", "application/geo+json", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"];

impl Purpose {
    /// The stored number.
    pub fn number(self) -> i16 {
        self as i16 + 1
    }

    /// The purpose of a stored number.
    pub fn of_number(number: i16) -> Option<Self> {
        [Self::Attachment, Self::Import].into_iter().find(|purpose| purpose.number() == number)
    }
}

impl Upload {
    /// What a chunk of `length` bytes at `offset` means. An empty one at the end asks to finish what has all its bytes.
    pub fn take(&self, offset: i64, length: i64) -> Result<Step, Refusal> {
        let end = offset.saturating_add(length);
        match &self.progress {
            Progress::Refused(refusal) => return Err(refusal.clone()),
            _ if end <= self.received => return Ok(Step::Known),
            _ => (),
        }
        let limit = self.max_chunks();
        if offset != self.received {
            Err(Refusal::WrongOffset { received: self.received })
        } else if end > self.size {
            Err(Refusal::TooLarge { limit: self.size })
        } else if self.chunks >= limit {
            Err(Refusal::TooManyChunks { limit })
        } else {
            Ok(Step::Next)
        }
    }

    /// Whether every byte is there and nobody has looked at them yet.
    pub fn is_complete(&self) -> bool {
        self.progress == Progress::Receiving && self.received == self.size
    }

    /// What the file is, once it is finished.
    pub fn content(&self) -> Result<&Content, Refusal> {
        match &self.progress {
            Progress::Receiving => Err(Refusal::Unfinished),
            Progress::Finished(content) => Ok(content),
            Progress::Refused(refusal) => Err(refusal.clone()),
        }
    }

    /// What the content may be: images only for one without a token.
    pub fn allowed(&self) -> Vec<&'static str> {
        match self.purpose {
            Purpose::Import => IMPORTS.to_vec(),
            Purpose::Attachment if self.uploader.is_none() => IMAGES.to_vec(),
            Purpose::Attachment => IMAGES.into_iter().chain(OTHERS).collect(),
        }
    }

    /// Refuses a type that is not among those, and an image too large to be cleaned.
    pub fn check_type(&self, content_type: &str) -> Result<(), Refusal> {
        let allowed = self.allowed();
        if !allowed.contains(&content_type) {
            let allowed = allowed.into_iter().map(str::to_owned).collect();
            return Err(Refusal::TypeNotAllowed { content_type: content_type.to_owned(), allowed });
        }
        if IMAGES.contains(&content_type) && self.size > MAX_IMAGE {
            return Err(Refusal::TooLarge { limit: MAX_IMAGE });
        }
        Ok(())
    }

    /// Room for chunks of 64 KiB, and a thousand smaller ones.
    fn max_chunks(&self) -> i32 {
        i32::try_from(self.size >> 16).unwrap_or(i32::MAX).saturating_add(1000)
    }
}

#[cfg(test)]
mod tests;
