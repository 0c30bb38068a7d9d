//! Why an upload is refused, and how the storage of files fails: their part of the table.

use std::time::Duration;

use jingwei_kit::status::Problem;
use tonic::Code;

use crate::files::Failure;
use crate::model::upload::Refusal;

/// The row of each refusal.
pub(super) fn refused(refusal: Refusal) -> Problem {
    let failed = |reason, zh: String, en: String| Problem::new(Code::FailedPrecondition, reason, zh, en);
    match refusal {
        Refusal::WrongOffset { received } => failed(
            "UPLOAD_OFFSET",
            format!("已收到 {received} 字节；下一块须从 {received} 开始"),
            format!("{received} bytes are there: the next chunk must begin at {received}"),
        )
        .with("received_bytes", received),
        Refusal::TooLarge { limit } => failed(
            "UPLOAD_TOO_LARGE",
            format!("超出大小：最多 {limit} 字节"),
            format!("too large: {limit} bytes at most"),
        )
        .with("limit", limit),
        Refusal::TooManyChunks { limit } => failed(
            "UPLOAD_TOO_MANY_CHUNKS",
            format!("分块过多，最多 {limit} 块；请重新上传，每块更大一些"),
            format!("more than {limit} chunks: begin another upload with larger ones"),
        )
        .with("limit", limit),
        Refusal::WrongHash { sha256 } => failed(
            "UPLOAD_HASH",
            format!("内容与所给的 sha256 不符，实为 {sha256}；请重新上传"),
            format!("the content hashes to {sha256}, not to what was said: upload it again"),
        )
        .with("sha256", sha256),
        Refusal::TypeNotAllowed { content_type, allowed } => not_allowed(content_type, &allowed),
        Refusal::Damaged { content_type } => failed(
            "UPLOAD_DAMAGED",
            format!("文件已损坏：开头是 {content_type}，但读不完整"),
            format!("the file is damaged: it begins as {content_type} and cannot be read to its end"),
        )
        .with("content_type", content_type),
        Refusal::Unfinished => {
            failed("UPLOAD_UNFINISHED", "上传尚未完成".into(), "the upload is not finished".into())
        }
        Refusal::Expired => failed(
            "UPLOAD_UNFINISHED",
            "上传超过 24 小时未继续，已作废；请重新上传".into(),
            "nothing came for 24 hours, so the upload was given up: begin another".into(),
        ),
        Refusal::TooManyPublic => {
            let (zh, en) = ("上传人数过多，请稍后再试", "too many unfinished uploads: try again in a minute");
            Problem::new(Code::ResourceExhausted, "TOO_MANY_PUBLIC_UPLOADS", zh, en)
                .retry_after(Duration::from_secs(60))
        }
    }
}

fn not_allowed(content_type: String, allowed: &[String]) -> Problem {
    let list = allowed.join(", ");
    let (more_zh, more_en) = match content_type.as_str() {
        "image/heif" => (
            "；HEIC 照片中的拍摄位置无法清除，请在手机设置中改用“兼容性最佳”格式，或转为 JPEG 后上传",
            "; the position in HEIC photos cannot be removed: set the camera to “most compatible” or send JPEG",
        ),
        _ => ("", ""),
    };
    let zh = format!("不接受 {content_type} 类型的文件；可用：{list}{more_zh}");
    let en = format!("files of type {content_type} are not taken, only: {list}{more_en}");
    Problem::new(Code::FailedPrecondition, "UPLOAD_TYPE", zh, en)
        .with("content_type", content_type)
        .with("allowed", list)
}

/// The row of each failure of the storage.
pub(super) fn failed(failure: Failure) -> Problem {
    match failure {
        Failure::Unavailable => Problem::new(
            Code::Unavailable,
            "STORAGE_UNAVAILABLE",
            "文件存储暂时无法使用，请稍后重试",
            "the storage of files is not available for the moment: try again later",
        )
        .retry_after(Duration::from_secs(1)),
        Failure::Full => Problem::new(
            Code::ResourceExhausted,
            "STORAGE_FULL",
            "文件存储已满，请联系运维人员",
            "the storage of files is full: tell the operator",
        ),
    }
}
