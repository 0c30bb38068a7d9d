//! The report on how the people of a batch are composed, against the enterprise register.

use std::collections::{BTreeMap, BTreeSet};

use jingwei_kit::caller::Caller;
use jingwei_proto::business_environment_monitor::v1 as pb;
use uuid::Uuid;

use super::batch::{self, ROLES};
use super::core::Core;
use super::wire::{composition as wire, name};
use crate::error::Error;
use crate::model::appointment::Appointment;
use crate::model::appointment::composition::{Yardstick, composition};
use crate::model::appointment::role::MonitorRole;
use crate::store;

/// The report as it is now.
pub async fn get(
    core: &Core,
    caller: &Caller,
    request: &pb::GetCompositionRequest,
) -> Result<pb::Composition, Error> {
    let missing = || Error::NotFound { name: request.name.clone() };
    let of_batch = request.name.strip_suffix("/composition").ok_or_else(missing)?;
    let (district, id) = name::read_batch("name", of_batch)?;
    batch::actor(caller, district)?;
    let batch = store::batch::get(&core.pool, district, id).await?.ok_or_else(missing)?;
    let members = store::appointment::list(&core.pool, district, id, Uuid::nil(), batch::MEMBERS).await?;

    let (mut enterprises, mut streets) = (BTreeMap::<String, u32>::new(), BTreeSet::<String>::new());
    for (industry, street, count) in store::enterprise::spread(&core.pool, district).await? {
        if !industry.is_empty() {
            *enterprises.entry(industry).or_default() += count;
        }
        if !street.is_empty() {
            streets.insert(street);
        }
    }
    let (enterprises, streets) = (&enterprises, &Vec::from_iter(streets)[..]);
    let role = |code: &String| ROLES.iter().find(|role| role.code == *code).cloned();
    let roles: Vec<MonitorRole> = batch.content.roles.iter().filter_map(role).collect();

    let total = composition(&members, &Yardstick { roles: &roles, enterprises, streets });
    let of_role = |role: &MonitorRole| {
        let its = |member: &&Appointment| member.nomination.role == role.code;
        let members: Vec<_> = members.iter().filter(its).cloned().collect();
        let roles = std::slice::from_ref(role);
        (role.clone(), composition(&members, &Yardstick { roles, enterprises, streets }))
    };
    let by_role: Vec<_> = roles.iter().map(of_role).collect();
    Ok(wire::write(&request.name, &total, &by_role))
}
