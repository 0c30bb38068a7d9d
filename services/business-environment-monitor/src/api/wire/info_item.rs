//! Items of market information, their records and counts: model ↔ wire. States and actions are numbered from 1 in the model's order.

use jingwei_kit::etag;
use jingwei_kit::status::{Problem, invalid};
use jingwei_proto::business_environment_monitor::v1 as pb;
use time::Date;
use uuid::Uuid;

use super::name;
use super::observation::read_day;
use super::time::write as moment;
use crate::model::actor::{Actor, Role};
use crate::model::info_item::arcs::ActionKind;
use crate::model::info_item::{Content, InfoItem, Source, State};
use crate::model::issue::Submission;
use crate::store::info_item::{Recorded, Stored};
use crate::store::info_item_link::{Count, Linked};

/// The most months that counts are given of.
const MONTHS: i32 = 120;

/// An item as the owner of the grants sees it: the office learns who else collected the same.
pub fn write(stored: &Stored, grants: &[Actor]) -> pb::InfoItem {
    let Stored { item, collectors, .. } = stored;
    let (district, content) = (item.district, &item.content);
    let shown = grants.iter().any(|actor| actor.role == Role::Office && item.is_readable_by(actor));
    let enterprise = content.enterprise.as_ref();
    pb::InfoItem {
        name: name::info_item(district, item.id),
        collector: item.collector.clone(),
        title: content.title.clone(),
        text: content.text.clone(),
        enterprise: enterprise.map(|code| name::enterprise(district, code.as_str())).unwrap_or_default(),
        source: content.source.map(|source| write_source(district, source)).unwrap_or_default(),
        about_competitor: content.about_competitor,
        disclosure: content.disclosure.clone().unwrap_or_default(),
        collect_time: Some(moment(item.collected)),
        state: item.state as i32 + 1,
        decision: item.decision.clone(),
        merged_into: item.merged_into.map(|id| name::info_item(district, id)).unwrap_or_default(),
        issues: item.issues.iter().map(|id| name::issue(district, *id)).collect(),
        collectors: if shown { collectors.clone() } else { Vec::new() },
        etag: etag::of(item.version),
    }
}

fn write_source(district: i32, source: Source) -> String {
    if source.experience { name::experience(district, source.id) } else { name::visit(district, source.id) }
}

/// A state in a request; `None` where unspecified.
pub fn read_state(state: pb::InfoItemState) -> Option<State> {
    State::all().find(|known| *known as i32 + 1 == state as i32)
}

/// What is collected.
///
/// # Errors
/// The fields that do not read.
pub fn read_content(request: &pb::CreateInfoItemRequest, district: i32) -> Result<Content, Problem> {
    let experience = request.source.contains("/experiences/");
    let source = match request.source.as_str() {
        "" => None,
        text => match name::read_observation("source", text, experience)? {
            (of, id) if of == district => Some(Source { id, experience }),
            _ => return Err(name::elsewhere("source", district)),
        },
    };
    Ok(Content {
        title: request.title.clone(),
        text: request.text.clone(),
        enterprise: name::read_enterprise_of("enterprise", &request.enterprise, district)?,
        source,
        about_competitor: request.about_competitor,
        disclosure: Some(request.disclosure.clone()).filter(|text| !text.is_empty()),
    })
}

/// The issue to be made of an item, under a new id: what the request leaves out is the item's.
pub fn submission(item: &InfoItem, new: &pb::NewIssue, id: Uuid) -> Submission {
    let or = |given: &str, own: &str| if given.is_empty() { own.to_owned() } else { given.to_owned() };
    // Tags were bounded before: what is no small number is none that the model knows.
    let tags = |tags: &[i32]| tags.iter().map(|tag| u8::try_from(*tag).unwrap_or(0)).collect();
    Submission {
        id,
        district: item.district,
        title: or(&new.title, &item.content.title),
        description: or(&new.description, &item.content.text),
        enterprise: item.content.enterprise,
        tasks: tags(&new.tasks),
        indicators: tags(&new.indicators),
        about_competitor: item.content.about_competitor,
        disclosure: item.content.disclosure.clone(),
    }
}

/// A record on the wire.
pub fn write_record(item: &InfoItem, record: &Recorded) -> pb::InfoItemRecord {
    let district = item.district;
    let action = ActionKind::all().find(|known| *known as i16 + 1 == record.action);
    let to_issue = matches!(action, Some(ActionKind::Promote | ActionKind::Link | ActionKind::Unlink));
    let other = |id| if to_issue { name::issue(district, id) } else { name::info_item(district, id) };
    pb::InfoItemRecord {
        name: format!("{}/records/{}", name::info_item(district, item.id), record.version),
        version: record.version,
        action: record.action.into(),
        action_display_name: action.map(ActionKind::chinese).unwrap_or_default().to_owned(),
        action_display_name_en: action.map(ActionKind::english).unwrap_or_default().to_owned(),
        from_state: record.from_state.unwrap_or(0).into(),
        to_state: record.to_state.into(),
        actor: record.subject.clone(),
        create_time: Some(moment(record.create_time)),
        text: record.text.clone(),
        other: record.other.map(other).unwrap_or_default(),
    }
}

/// An issue of an item on the wire.
pub fn write_link(district: i32, linked: &Linked) -> pb::InfoItemIssue {
    let issue = name::issue(district, linked.issue);
    pb::InfoItemIssue { issue, link_time: Some(moment(linked.create_time)) }
}

/// Counts on the wire.
pub fn write_counts(counts: &[Count]) -> pb::InfoItemCounts {
    let of = |kind: i32| counts.iter().find(|row| i32::from(row.kind) == kind).map_or(0, |row| row.count);
    let states: Vec<_> = State::all()
        .map(|state| pb::InfoItemStateCount { state: state as i32 + 1, count: of(state as i32 + 1) })
        .collect();
    pb::InfoItemCounts {
        collected_count: states.iter().map(|row| row.count).sum(),
        states,
        behind_issue_count: of(7),
        issue_count: of(8),
    }
}

/// The first days of the first and the last month of a request.
///
/// # Errors
/// A month does not exist, or they are the wrong way around or too many.
pub fn read_months(request: &pb::GetInfoItemCountsRequest) -> Result<(Date, Date), Problem> {
    let month = |field: &str, text: &str| {
        let first = read_day(field, &format!("{text}-01"))?;
        first.ok_or_else(|| name::wrong(field, "2026-03"))
    };
    let from = month("from_month", &request.from_month)?;
    let to = month("to_month", &request.to_month)?;
    let place = |day: Date| day.year() * 12 + i32::from(u8::from(day.month()));
    if !(0..MONTHS).contains(&(place(to) - place(from))) {
        let (zh, en) =
            (format!("须不早于起始月，且最多 {MONTHS} 个月"), format!("must make 1 to {MONTHS} months"));
        return Err(invalid("to_month", "range", zh, en));
    }
    Ok((from, to))
}

/// The first day of a day's month.
pub fn month(day: Date) -> Date {
    day.replace_day(1).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn states_and_actions_are_numbered_as_on_the_wire() {
        for state in State::all() {
            let wire = pb::InfoItemState::try_from(state as i32 + 1).expect("in the enum");
            assert_eq!(wire.as_str_name().trim_start_matches("INFO_ITEM_STATE_"), state.code());
            assert_eq!(read_state(wire), Some(state));
        }
        assert_eq!(read_state(pb::InfoItemState::Unspecified), None);
        for action in ActionKind::all() {
            let wire = pb::InfoItemAction::try_from(action as i32 + 1).expect("in the enum");
            assert_eq!(wire.as_str_name().trim_start_matches("INFO_ITEM_ACTION_"), action.code());
        }
    }

    #[test]
    fn months_are_a_hundred_and_twenty_at_most() {
        let told = |from_month: &str, to_month: &str| {
            let (from_month, to_month) = (from_month.to_owned(), to_month.to_owned());
            read_months(&pb::GetInfoItemCountsRequest { parent: String::new(), from_month, to_month })
        };
        assert_eq!(told("2025-12", "2026-02"), Ok((date!(2025 - 12 - 01), date!(2026 - 02 - 01))));
        assert!(told("2026-02", "2026-02").is_ok() && told("2016-03", "2026-02").is_ok());
        assert!(told("2026-02", "2026-01").is_err() && told("2016-02", "2026-02").is_err());
        assert!(told("2026-13", "2026-13").is_err());
        assert_eq!(month(date!(2024 - 02 - 29)), date!(2024 - 02 - 01));
    }
}
