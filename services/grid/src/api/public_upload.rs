//! Uploads of residents without a token: a secret stands for the uploader.

use jingwei_kit::status::invalid;
use jingwei_proto::grid::v1 as pb;
use sha2::{Digest, Sha256};
use time::Duration;
use uuid::Uuid;

use super::staff::read_name;
use super::upload::Uploads;
use super::wire::{name, upload as wire};
use crate::error::Error;
use crate::model::upload::{Hash, MAX_PUBLIC, PUBLIC_PER_MINUTE, Purpose, Refusal, Upload};
use crate::store::upload as store;

/// Begins an upload of an image, where the district has not too many on their way.
pub(super) async fn create(
    uploads: &Uploads,
    request: &pb::CreatePublicUploadRequest,
) -> Result<pb::CreatePublicUploadResponse, Error> {
    let district = name::read_district(&request.parent)?;
    let given = request.upload.clone().unwrap_or_default();
    let upload = uploads.begin(district, uploads.core.clock.id(), &given, MAX_PUBLIC)?;
    if upload.purpose != Purpose::Attachment {
        let (zh, en) = ("未登录只能上传附件", "without a token only attachments");
        return Err(invalid("upload.purpose", "enum.in", zh, en).into());
    }
    let secret = secret();
    let upload = Upload { secret_hash: Some(hash(&secret)), ..upload };
    let mut transaction = uploads.core.pool.begin().await?;
    let since = upload.create_time - Duration::MINUTE;
    if store::count_public(&mut transaction, district, since).await? >= PUBLIC_PER_MINUTE {
        return Err(Refusal::TooManyPublic.into());
    }
    store::insert(&mut transaction, &upload).await?;
    transaction.commit().await?;
    Ok(pb::CreatePublicUploadResponse { upload: Some(wire::write(&upload)), secret })
}

/// Takes a chunk from whoever has the secret.
pub(super) async fn append(
    uploads: &Uploads,
    request: pb::AppendPublicUploadRequest,
) -> Result<pb::Upload, Error> {
    let (district, id) = read_name(&request.name, "publicUploads")?;
    let found = store::get(&uploads.core.pool, district, id).await?;
    // Hashes are compared: how long that takes tells nothing about the secret.
    let given = hash(&request.secret);
    let upload = found.filter(|upload| upload.secret_hash == Some(given));
    let upload = upload.ok_or(Error::NotFound { name: request.name })?;
    uploads.append(upload, request.offset, request.body).await
}

/// 244 random bits.
#[expect(clippy::disallowed_methods, reason = "a secret is no id: nobody may be able to work it out again")]
fn secret() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

fn hash(secret: &str) -> Hash {
    Sha256::digest(secret).into()
}
