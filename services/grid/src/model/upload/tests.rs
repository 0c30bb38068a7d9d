//! Chunks in any order, any number of times.

use proptest::prelude::*;
use time::macros::datetime;

use super::*;

fn upload(size: i64) -> Upload {
    Upload {
        district: 410_182,
        id: Uuid::nil(),
        uploader: Some("worker".into()),
        secret_hash: None,
        file_name: "照片.jpg".into(),
        size,
        wanted_sha256: None,
        purpose: Purpose::Attachment,
        received: 0,
        chunks: 0,
        progress: Progress::Receiving,
        create_time: datetime!(2026-03-02 09:00 UTC),
    }
}

proptest! {
    /// Whatever is sent, bytes are taken in their order, none twice and none left out.
    #[test]
    fn what_is_received_has_no_gap_and_no_end_beyond_the_size(
        size in 1..5000i64,
        chunks in prop::collection::vec((0..6000i64, 0..2000i64), 0..60),
    ) {
        let mut upload = upload(size);
        for (offset, length) in chunks {
            let before = upload.received;
            match upload.take(offset, length) {
                Ok(Step::Known) => prop_assert!(offset + length <= before),
                Ok(Step::Next) => {
                    prop_assert!(offset == before && length > 0);
                    upload.received += length;
                    upload.chunks += 1;
                }
                Err(Refusal::WrongOffset { received }) => prop_assert!(offset != before && received == before),
                Err(Refusal::TooLarge { limit }) => prop_assert!(offset + length > size && limit == size),
                Err(other) => prop_assert!(false, "{other:?}"),
            }
            prop_assert!(upload.received <= size);
        }
        prop_assert_eq!(upload.is_complete(), upload.received == size);
    }

    #[test]
    fn no_offset_overflows(offset in any::<i64>(), length in 0..=MAX_CHUNK as i64) {
        prop_assert_ne!(upload(100).take(offset.max(0), length.max(1)).is_ok(), offset.max(0) > 0 || length > 100);
    }
}

#[test]
fn small_chunks_come_to_an_end() {
    let mut upload = Upload { chunks: 999, received: 999, ..upload(1 << 16) };
    assert_eq!(upload.take(999, 1), Ok(Step::Next));
    upload.chunks = 1001;
    assert_eq!(upload.take(999, 1), Err(Refusal::TooManyChunks { limit: 1001 }));
    assert_eq!(upload.take(998, 1), Ok(Step::Known));
}

#[test]
fn a_refused_upload_stays_refused_and_a_finished_one_knows_its_bytes() {
    let refusal = Refusal::Damaged { content_type: "image/png".into() };
    let refused = Upload { received: 10, progress: Progress::Refused(refusal.clone()), ..upload(10) };
    assert_eq!(refused.take(0, 5), Err(refusal.clone()));
    assert_eq!(refused.content(), Err(refusal));
    let content = Content { district: 1, sha256: [0; 32], size: 9, content_type: "image/png".into() };
    let finished = Upload { received: 10, progress: Progress::Finished(content.clone()), ..upload(10) };
    assert_eq!((finished.take(5, 5), finished.is_complete()), (Ok(Step::Known), false));
    assert_eq!(finished.take(10, 1), Err(Refusal::TooLarge { limit: 10 }));
    assert_eq!(finished.content(), Ok(&content));
    assert_eq!(upload(1).content(), Err(Refusal::Unfinished));
}

#[test]
fn types_are_by_purpose_and_who_uploads() {
    let pdf = "application/pdf";
    let takes = |upload: &Upload, content_type| upload.check_type(content_type).is_ok();
    let (staff, resident) = (upload(10), Upload { uploader: None, ..upload(10) });
    let import = Upload { purpose: Purpose::Import, ..upload(10) };
    assert_eq!([&staff, &resident, &import].map(|u| takes(u, pdf)), [true, false, false]);
    assert_eq!([&staff, &resident, &import].map(|u| takes(u, "image/jpeg")), [true, true, false]);
    assert_eq!([&staff, &resident, &import].map(|u| takes(u, "text/csv")), [false, false, true]);
    assert!(!takes(&staff, "image/heif"), "its position cannot be removed");
    let large = upload(MAX_IMAGE + 1);
    assert_eq!(large.check_type("image/png"), Err(Refusal::TooLarge { limit: MAX_IMAGE }));
    assert!(takes(&large, "video/mp4"));
}
