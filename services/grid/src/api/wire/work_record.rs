//! Work records: model ↔ wire.

use jingwei_kit::etag;
use jingwei_proto::grid::v1 as pb;

use super::{deliberation, event, name, time as wire_time};
use crate::model::work_record::{Category, Grade, Review, WorkRecord};
use crate::store::work_record::Summary;

/// A work record on the wire.
pub fn write(record: &WorkRecord) -> pb::WorkRecord {
    let review = |review: &Review| pb::WorkReview {
        grade: write_grade(review.grade).into(),
        comment: review.comment.clone(),
        reviewer: review.reviewer.clone(),
        create_time: Some(wire_time::write(review.at)),
    };
    pb::WorkRecord {
        name: name::of(record.district, "workRecords", record.id),
        posting: name::of(record.district, "postings", record.posting),
        staff_member: name::of(record.district, "staff", record.staff),
        area: name::area(record.area),
        date: deliberation::write_date(record.day),
        category: i32::from(record.category.number()),
        text: record.text.clone(),
        links: record.links.clone(),
        evidence: record.evidence.iter().map(event::write_evidence).collect(),
        review: record.review.as_ref().map(review),
        create_time: Some(wire_time::write(record.created)),
        etag: etag::of(record.version),
    }
}

/// A summary on the wire.
pub fn write_summary(posting: &str, summary: &Summary) -> pb::WorkSummary {
    let count = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    let category = |(category, records): &(Category, i64)| pb::WorkCategoryCount {
        category: i32::from(category.number()),
        records: count(*records),
    };
    pb::WorkSummary {
        posting: posting.to_owned(),
        records: count(summary.records),
        days: count(summary.days),
        reviewed: count(summary.reviewed),
        linked_events: count(summary.linked_events),
        categories: summary.categories.iter().map(category).collect(),
    }
}

/// A category in a request; `None` where unspecified.
pub fn read_category(category: pb::WorkCategory) -> Option<Category> {
    i16::try_from(category as i32).ok().and_then(Category::of_number)
}

/// A grade in a request; `None` where unspecified.
pub fn read_grade(grade: pb::WorkGrade) -> Option<Grade> {
    match grade {
        pb::WorkGrade::Unspecified => None,
        pb::WorkGrade::Excellent => Some(Grade::Excellent),
        pb::WorkGrade::Good => Some(Grade::Good),
        pb::WorkGrade::Adequate => Some(Grade::Adequate),
        pb::WorkGrade::Inadequate => Some(Grade::Inadequate),
    }
}

fn write_grade(grade: Grade) -> pb::WorkGrade {
    match grade {
        Grade::Excellent => pb::WorkGrade::Excellent,
        Grade::Good => pb::WorkGrade::Good,
        Grade::Adequate => pb::WorkGrade::Adequate,
        Grade::Inadequate => pb::WorkGrade::Inadequate,
    }
}
