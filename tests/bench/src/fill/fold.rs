//! The counters of one district, folded in memory as `statistic_fold` (migration 0010) folds them in the database.

use std::collections::HashMap;

use jingwei_grid::model::area::AreaCode;
use jingwei_grid::model::count::Contribution;
use jingwei_grid::model::period::Span;
use time::Date;

use super::rows::{Counter, Rows};

/// How many additions gather before they are summed.
const GATHERED: usize = 1 << 21;

/// What is counted: area (a number of `areas`), dimension, member (a number of `members`), day (Julian), metric and minutes, each
/// in bits of its own, so that equal ones stand together when sorted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct What {
    place: u64,
    /// One more than the minutes; 0 for what has none.
    minutes: u32,
}

/// A sum, or a part of one.
#[derive(Clone, Copy)]
struct Sum {
    what: What,
    count: i32,
}

/// The counters of a district on their way.
pub struct Fold {
    district: i32,
    areas: Names<AreaCode>,
    members: Names<String>,
    /// The main category of each sub-category.
    parents: HashMap<String, String>,
    sums: Vec<Sum>,
    /// How many of the sums are summed already.
    summed: usize,
}

/// Numbers for names, in the order in which they came.
struct Names<T> {
    known: HashMap<T, u16>,
    all: Vec<T>,
}

impl<T: Clone + Eq + std::hash::Hash> Names<T> {
    fn new() -> Self {
        Self { known: HashMap::new(), all: Vec::new() }
    }

    fn number<Q>(&mut self, name: &Q) -> u16
    where
        T: std::borrow::Borrow<Q>,
        Q: std::hash::Hash + Eq + ToOwned<Owned = T> + ?Sized,
    {
        if let Some(number) = self.known.get(name) {
            return *number;
        }
        let number = u16::try_from(self.all.len()).expect("a district has fewer areas and units than 65536");
        self.known.insert(name.to_owned(), number);
        self.all.push(name.to_owned());
        number
    }
}

impl What {
    fn of(area: u16, dimension: u8, member: u16, day: u16, metric: u8, minutes: u32) -> Self {
        let place = u64::from(area) << 44
            | u64::from(dimension) << 40
            | u64::from(member) << 24
            | u64::from(day) << 8
            | u64::from(metric);
        Self { place, minutes }
    }

    fn area(self) -> u16 {
        (self.place >> 44) as u16
    }

    fn day(self) -> u16 {
        (self.place >> 8) as u16
    }

    fn with_area(self, area: u16) -> Self {
        Self { place: self.place & !(0xffff << 44) | u64::from(area) << 44, ..self }
    }

    fn with_day(self, day: u16) -> Self {
        Self { place: self.place & !(0xffff << 8) | u64::from(day) << 8, ..self }
    }
}

/// The first day that fits into what is sorted: 2000-01-01.
const FIRST: Date = time::macros::date!(2000 - 01 - 01);

fn number_of(day: Date) -> u16 {
    u16::try_from(day.to_julian_day() - FIRST.to_julian_day()).expect("a day between 2000 and 2179")
}

fn day_of(number: u16) -> Date {
    FIRST + time::Duration::days(number.into())
}

impl Fold {
    /// Nothing yet of a district; `parents` tells the main category of each sub-category.
    pub fn new(district: i32, parents: HashMap<String, String>) -> Self {
        let (areas, members) = (Names::new(), Names::new());
        Self { district, areas, members, parents, sums: Vec::new(), summed: 0 }
    }

    /// Adds what a transition in an area contributes, under every dimension that it has.
    pub fn add(&mut self, area: AreaCode, contributions: &[Contribution]) {
        let area = self.areas.number(&area);
        for told in contributions {
            let parent = self.parents.get(&told.category).map(String::as_str);
            let level = told.level.map(|level| level.to_string());
            let members =
                [Some(""), told.lead.as_deref(), parent, Some(told.category.as_str()), level.as_deref()];
            let minutes = told.minutes.map_or(0, |m| u32::try_from(m + 1).expect("less than 8000 years"));
            let metric = u8::try_from(told.metric).expect("metrics are few");
            for (dimension, member) in (0..).zip(members) {
                let Some(member) = member else { continue };
                let member = self.members.number(member);
                let what = What::of(area, dimension, member, number_of(told.day), metric, minutes);
                self.sums.push(Sum { what, count: told.amount });
            }
        }
        if self.sums.len() > 2 * self.summed + GATHERED {
            sum(&mut self.sums);
            self.summed = self.sums.len();
        }
    }

    /// Writes the counters: of each area with all below it, by day, month and year.
    pub fn write(mut self, rows: &mut Rows) {
        sum(&mut self.sums);
        let mut sums = std::mem::take(&mut self.sums);
        for span in [Span::Day, Span::Month, Span::Year] {
            for sum in &mut sums {
                sum.what = sum.what.with_day(number_of(first(span, day_of(sum.what.day()))));
            }
            sum(&mut sums);
            self.write_span(span, sums.clone(), rows);
        }
    }

    /// From the deepest areas up: what was summed below is summed again.
    fn write_span(&mut self, span: Span, mut sums: Vec<Sum>, rows: &mut Rows) {
        for depth in (0..=4).rev() {
            for each in &mut sums {
                let area = self.areas.all[usize::from(each.what.area())];
                if area.depth() > depth {
                    let above = area.parent().expect("only a district has none");
                    each.what = each.what.with_area(self.areas.number(&above));
                }
            }
            sum(&mut sums);
            for each in sums.iter().filter(|each| each.count != 0) {
                let area = self.areas.all[usize::from(each.what.area())];
                if area.depth() == depth {
                    rows.counted(self.district, area, &self.counter(span, each));
                }
            }
        }
    }

    fn counter(&self, span: Span, sum: &Sum) -> Counter<'_> {
        let place = sum.what.place;
        Counter {
            dimension: (place >> 40 & 0xf) as i16,
            member: &self.members.all[usize::from((place >> 24) as u16)],
            span: span as i16,
            day: day_of(sum.what.day()),
            metric: i32::from(place as u8),
            minutes: sum.what.minutes.checked_sub(1).map(|m| i32::try_from(m).expect("less than 4000 years")),
            count: i64::from(sum.count),
        }
    }
}

/// The first day of the span that a day lies in.
fn first(span: Span, day: Date) -> Date {
    match span {
        Span::Day => day,
        Span::Month => day.replace_day(1).expect("every month has one"),
        Span::Year => Date::from_ordinal_date(day.year(), 1).expect("every year has one"),
    }
}

/// Sums what is equal; the sums are in order then. What sums to nothing is kept: the next to come may be the same.
fn sum(sums: &mut Vec<Sum>) {
    sums.sort_unstable_by_key(|sum| sum.what);
    sums.dedup_by(|next, kept| {
        let same = next.what == kept.what;
        kept.count += if same { next.count } else { 0 };
        same
    });
}
