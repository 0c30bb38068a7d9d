//! Uploads and attachments: model ↔ wire.

use jingwei_kit::status::{Problem, Violations};
use jingwei_proto::grid::v1 as pb;

use super::{name, time};
use crate::error::Error;
use crate::files::hex;
use crate::model::attachment::Attachment;
use crate::model::upload::{Hash, Progress, Purpose, Upload};

/// An upload on the wire.
pub fn write(upload: &Upload) -> pb::Upload {
    let (state, content_type, refusal) = match &upload.progress {
        Progress::Receiving => (pb::UploadState::Receiving, "", ""),
        Progress::Finished(content) => (pb::UploadState::Finished, content.content_type.as_str(), ""),
        Progress::Refused(refusal) => {
            (pb::UploadState::Refused, "", Problem::from(Error::Upload(refusal.clone())).reason)
        }
    };
    let is_attachment = upload.purpose == Purpose::Attachment && state == pb::UploadState::Finished;
    let collection = if upload.uploader.is_some() { "uploads" } else { "publicUploads" };
    pb::Upload {
        name: name::of(upload.district, collection, upload.id),
        file_name: upload.file_name.clone(),
        size_bytes: upload.size,
        sha256: upload.wanted_sha256.map(|hash| hex(&hash)).unwrap_or_default(),
        purpose: write_purpose(upload.purpose).into(),
        state: state.into(),
        received_bytes: upload.received,
        content_type: content_type.to_owned(),
        refusal: refusal.to_owned(),
        attachment: if is_attachment {
            name::of(upload.district, "attachments", upload.id)
        } else {
            String::new()
        },
        create_time: Some(time::write(upload.create_time)),
    }
}

/// An attachment on the wire.
pub fn write_attachment(attachment: &Attachment) -> pb::Attachment {
    let content = &attachment.content;
    pb::Attachment {
        name: name::of(content.district, "attachments", attachment.id),
        file_name: attachment.file_name.clone(),
        content_type: content.content_type.clone(),
        size_bytes: content.size,
        sha256: hex(&content.sha256),
        create_time: Some(time::write(attachment.create_time)),
    }
}

fn write_purpose(purpose: Purpose) -> pb::UploadPurpose {
    match purpose {
        Purpose::Attachment => pb::UploadPurpose::Attachment,
        Purpose::Import => pb::UploadPurpose::Import,
    }
}

/// A purpose in a request; `None` where unspecified.
pub fn read_purpose(purpose: pb::UploadPurpose) -> Option<Purpose> {
    i16::try_from(purpose as i32).ok().and_then(Purpose::of_number)
}

/// A hash in a request, in hexadecimal; `None` where it is empty.
pub fn read_hash(text: &str) -> Option<Hash> {
    let digit = |at: usize| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (text.len() == 64).then(|| (0..32).map(digit).collect())?;
    bytes?.try_into().ok()
}

/// A violation where a file is larger than `limit` bytes.
pub fn check_size(size: i64, limit: i64, violations: &mut Violations) {
    if size > limit {
        let (zh, en) = (format!("最多 {limit} 字节"), format!("at most {limit} bytes"));
        violations.add("upload.size_bytes", "int64.lte", zh, en);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_are_numbered_as_on_the_wire() {
        for purpose in [Purpose::Attachment, Purpose::Import] {
            assert_eq!(i32::from(purpose.number()), write_purpose(purpose) as i32);
            assert_eq!(read_purpose(write_purpose(purpose)), Some(purpose));
        }
        assert_eq!(read_purpose(pb::UploadPurpose::Unspecified), None);
    }

    #[test]
    fn hashes_read_back() {
        let hash: Hash = std::array::from_fn(|i| i as u8 * 7);
        assert_eq!(read_hash(&hex(&hash)), Some(hash));
        for text in ["", "00", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(read_hash(text), None, "{text}");
        }
    }
}
