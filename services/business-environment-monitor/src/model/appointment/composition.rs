//! Composition: how broad, representative and balanced the people of a batch are. It informs, and never rejects.

use std::collections::BTreeMap;

use super::apply::is_exception;
use super::role::MonitorRole;
use super::{Appointment, State};

/// A part of a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The part.
    pub of: u32,
    /// The whole.
    pub all: u32,
}

/// The report on a batch, or on one of its roles.
#[derive(Clone, Debug, PartialEq)]
pub struct Composition {
    /// How many people.
    pub people: u32,
    /// Breadth 广泛性: how many of the roles' main groups are covered.
    pub breadth: Share,
    /// The group with the most people, and its share; `None` without people.
    pub largest_group: Option<(String, Share)>,
    /// People from each group.
    pub groups: BTreeMap<String, u32>,
    /// Representation of industries 代表性: 1 − ½Σ|pᵢ−qᵢ| between the people and the register, 0 to 1; `None` where
    /// nobody has an industry, or the register is empty.
    pub representation: Option<f64>,
    /// Balance over the streets 均衡性: the entropy of the people's streets by that of an even distribution over all
    /// of the district's, 0 to 1; `None` where nobody has a street, or there are less than two.
    pub balance: Option<f64>,
    /// People from outside of their role's main groups, each with a recorded reason.
    pub exceptions: Share,
}

/// What a report compares with.
#[derive(Clone, Copy, Debug)]
pub struct Yardstick<'a> {
    /// The roles that the batch appoints to.
    pub roles: &'a [MonitorRole],
    /// How many enterprises the register has in each industry.
    pub enterprises: &'a BTreeMap<String, u32>,
    /// The codes of all streets and towns of the district.
    pub streets: &'a [String],
}

/// The report on these appointments; those not appointed do not count.
#[must_use]
pub fn composition(members: &[Appointment], by: &Yardstick<'_>) -> Composition {
    let members = || members.iter().filter(|member| member.state != State::Declined);
    let of_role = |member: &Appointment| by.roles.iter().find(|role| role.code == member.nomination.role);
    let groups = count(members().map(|member| member.nomination.group.clone()));
    let people = groups.values().sum();

    let mut main: Vec<&String> = by.roles.iter().flat_map(|role| &role.main_groups).collect();
    main.sort_unstable();
    main.dedup();
    let covered = number(main.iter().filter(|group| groups.contains_key(**group)).count());
    // The first by name, where several have the most.
    let largest = groups.iter().rev().max_by_key(|(_, count)| **count);
    let outside =
        |member: &&Appointment| of_role(member).is_none_or(|role| is_exception(&member.nomination, role));
    // The register knows sections of GB/T 4754, a nomination perhaps a class of one: `C34` is of `C`.
    let section = |member: &Appointment| Some(member.nomination.industry.as_ref()?.get(..1)?.to_owned());
    let industries = count(members().filter_map(section));
    let streets = count(
        members()
            .filter_map(|member| member.nomination.street.clone())
            .filter(|street| by.streets.contains(street)),
    );
    Composition {
        people,
        breadth: Share { of: covered, all: number(main.len()) },
        largest_group: largest.map(|(group, count)| (group.clone(), Share { of: *count, all: people })),
        representation: representation(&industries, by.enterprises),
        balance: balance(&streets, by.streets.len()),
        exceptions: Share { of: number(members().filter(outside).count()), all: people },
        groups,
    }
}

fn count(names: impl Iterator<Item = String>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// 1 − ½Σ|pᵢ−qᵢ|, p and q being the shares of the industries here and there.
fn representation(here: &BTreeMap<String, u32>, there: &BTreeMap<String, u32>) -> Option<f64> {
    let sum = |counts: &BTreeMap<String, u32>| counts.values().map(|count| f64::from(*count)).sum::<f64>();
    let (all_here, all_there) = (sum(here), sum(there));
    if all_here == 0.0 || all_there == 0.0 {
        return None;
    }
    let share = |counts: &BTreeMap<String, u32>, name: &String, all: f64| {
        counts.get(name).map_or(0.0, |count| f64::from(*count) / all)
    };
    let only_there = there.keys().filter(|name| !here.contains_key(*name));
    let apart: f64 = here
        .keys()
        .chain(only_there)
        .map(|name| (share(here, name, all_here) - share(there, name, all_there)).abs())
        .sum();
    Some((1.0 - apart / 2.0).clamp(0.0, 1.0))
}

/// −Σ pᵢ ln pᵢ by ln n, p being the shares of the n streets.
fn balance(streets: &BTreeMap<String, u32>, all_streets: usize) -> Option<f64> {
    let people = streets.values().map(|count| f64::from(*count)).sum::<f64>();
    if people == 0.0 || all_streets < 2 {
        return None;
    }
    let entropy: f64 =
        streets.values().map(|count| f64::from(*count) / people).map(|share| -share * share.ln()).sum();
    Some((entropy / f64::from(number(all_streets)).ln()).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;
