//! Attachments 附件: finished uploads that evidence refers to.

use time::OffsetDateTime;
use uuid::Uuid;

use super::upload::Content;

/// A stored file with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The id: that of the upload it came by.
    pub id: Uuid,
    /// The subject of who uploaded it; `None` for a resident without a token.
    pub uploader: Option<String>,
    /// What the file is called.
    pub file_name: String,
    /// What it holds.
    pub content: Content,
    /// When it was finished.
    pub create_time: OffsetDateTime,
}
