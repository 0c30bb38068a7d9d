//! Public keys of receivers: brought and taken out of use by the receiver's own people, read by whoever seals.

use jingwei_kit::caller::Caller;
use jingwei_kit::page::Page;
use jingwei_kit::status::invalid;
use jingwei_proto::business_environment_monitor::v1 as pb;
use sqlx::PgConnection;
use uuid::Uuid;

use super::actors;
use super::core::{Asked, Core};
use super::repeat::violates;
use super::wire::{name, transfer as wire};
use crate::error::Error;
use crate::model::receiver::Receiver;
use crate::model::sealed::{ReceiverKey, is_sealed, is_sound_key, keeps_keys};
use crate::model::transfer::Refusal;
use crate::store::receiver_key as store;

/// Whether the caller may change the keys of a receiver.
fn check(caller: &Caller, district: i32, receiver: Receiver) -> Result<(), Error> {
    let keeps = actors::of(caller, district).iter().any(|actor| keeps_keys(receiver, district, actor));
    if keeps { Ok(()) } else { Err(Refusal::NotAllowed.into()) }
}

/// Registers a key.
pub async fn create(
    core: &Core,
    caller: &Caller,
    request: &pb::CreateReceiverKeyRequest,
) -> Result<pb::ReceiverKey, Error> {
    let (district, receiver) = name::read_receiver("parent", &request.parent)?;
    check(caller, district, receiver)?;
    if !is_sound_key(&request.public_key) {
        let en = "is no public key that can be sealed to: 32 bytes of X25519";
        return Err(invalid("public_key", "x25519", "不是可用的 X25519 公钥（32 字节）", en).into());
    }
    let key = ReceiverKey {
        district,
        receiver,
        id: core.clock.id(),
        public_key: request.public_key.clone(),
        created: core.clock.now(),
        retired: None,
    };
    let (method, request_id) = ("CreateReceiverKey", request.request_id.as_str());
    let asked = Asked { caller, district, method, request, request_id };
    let create = async |conn: &mut PgConnection| {
        let answer = wire::write_key(&key);
        match store::insert(conn, &key, &caller.subject).await {
            Err(e) if violates(&e, "receiver_key_once") => {
                Err(Error::AlreadyExists { name: answer.fingerprint })
            }
            done => Ok(done.map(|()| (answer.name.clone(), answer))?),
        }
    };
    core.change(asked, create).await
}

/// A page of a receiver's keys.
pub async fn list(
    core: &Core,
    request: &pb::ListReceiverKeysRequest,
) -> Result<pb::ListReceiverKeysResponse, Error> {
    let (district, receiver) = name::read_receiver("parent", &request.parent)?;
    let page = Page::<Uuid>::of(request, 50, 200)?;
    let before = page.after.unwrap_or(Uuid::max());
    let mut rows = store::list(&core.pool, district, receiver, before, page.limit()).await?;
    let next_page_token = page.cut(&mut rows, |key| key.id);
    Ok(pb::ListReceiverKeysResponse { keys: rows.iter().map(wire::write_key).collect(), next_page_token })
}

/// Takes a key out of use; one that is stays as it is.
pub async fn retire(
    core: &Core,
    caller: &Caller,
    request: &pb::RetireReceiverKeyRequest,
) -> Result<pb::ReceiverKey, Error> {
    let (district, receiver, id) = name::read_receiver_key("name", &request.name)?;
    check(caller, district, receiver)?;
    let (method, request_id) = ("RetireReceiverKey", request.request_id.as_str());
    let asked = Asked { caller, district, method, request, request_id };
    let retire = async |conn: &mut PgConnection| {
        let now = core.clock.now();
        let found = store::retire(conn, district, receiver, id, &caller.subject, now).await?;
        let key = found.ok_or_else(|| Error::NotFound { name: request.name.clone() })?;
        Ok((request.name.clone(), wire::write_key(&key)))
    };
    core.change(asked, retire).await
}

/// The key in use that a request seals to, which is of the district, and content that can be sealed to it.
pub async fn usable(
    conn: &mut PgConnection,
    district: i32,
    key: &str,
    sealed: &[u8],
) -> Result<ReceiverKey, Error> {
    let (of, receiver, id) = name::read_receiver_key("key", key)?;
    if of != district {
        return Err(name::wrong("key", &name::receiver_key(district, receiver, id)).into());
    }
    if !is_sealed(sealed) {
        let en = "must be an encapsulated key of 32 bytes and the ciphertext: 49 bytes to 256 KiB";
        return Err(invalid(
            "sealed_content",
            "sealed",
            "须为 32 字节封装公钥加密文，共 49 字节至 256 KiB",
            en,
        )
        .into());
    }
    let found = store::get(conn, district, receiver, id).await?.filter(|key| key.retired.is_none());
    found.ok_or_else(|| Error::KeyNotUsable { key: key.to_owned() })
}
