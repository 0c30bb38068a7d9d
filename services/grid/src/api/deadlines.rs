//! What the deadlines of an event are made of: the limits of its category and the district's calendar.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jingwei_work_calendar::Calendar;
use sqlx::PgPool;
use time::OffsetDateTime;

use crate::error::Error;
use crate::model::apply::{ANSWER_WINDOW, Context, REOPEN_WINDOW};
use crate::model::area::AreaCode;
use crate::model::clock::StepLimits;
use crate::model::event::Event;
use crate::store;
use crate::store::category::Basis;

/// Calendars by district, with the version that was read.
type Calendars = HashMap<i32, (i64, Arc<Calendar>)>;

/// Reads limits at each call, and calendars where their version is another than the one kept.
#[derive(Clone)]
pub struct Deadlines {
    pool: PgPool,
    calendars: Arc<Mutex<Calendars>>,
}

/// The basis of one event's deadlines.
pub struct Reference {
    /// The category of the event.
    pub category: crate::model::category::Category,
    /// The limits of its steps.
    pub limits: StepLimits,
    calendar: Arc<Calendar>,
}

impl Deadlines {
    /// Reads from this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, calendars: Arc::default() }
    }

    /// For a category and condition of a district.
    pub async fn of(&self, district: i32, category: &str, condition: &str) -> Result<Reference, Error> {
        let at = OffsetDateTime::UNIX_EPOCH;
        Ok(self.with_area(district, category, condition, (None, at)).await?.0)
    }

    /// As `of`, read together with the version that an area has at a moment; `None` where there is no such area.
    pub async fn with_area(
        &self,
        district: i32,
        category: &str,
        condition: &str,
        (area, at): (Option<AreaCode>, OffsetDateTime),
    ) -> Result<(Reference, Option<i64>), Error> {
        let found = store::category::basis(&self.pool, district, category, area, at).await?;
        let (basis, version) = found.ok_or(Error::ReferenceMissing { field: "category" })?;
        Ok((self.of_basis(basis, condition).await?, version))
    }

    /// For an event.
    pub async fn of_event(&self, event: &Event) -> Result<Reference, Error> {
        self.of(event.district, &event.category, &event.condition).await
    }

    /// For a condition of a category whose basis is read already.
    pub async fn of_basis(&self, basis: Basis, condition: &str) -> Result<Reference, Error> {
        let version = basis.calendar_version.ok_or(Error::CalendarMissing)?;
        let calendar = self.calendar(basis.category.district, version).await?;
        let limits = basis.category.limits(condition, &basis.main);
        Ok(Reference { category: basis.category, limits, calendar })
    }

    async fn calendar(&self, district: i32, version: i64) -> Result<Arc<Calendar>, Error> {
        if let Some(kept) = self.kept(district, version) {
            return Ok(kept);
        }
        let (version, calendar) =
            store::calendar::get(&self.pool, district).await?.ok_or(Error::CalendarMissing)?;
        let calendar = Arc::new(calendar);
        let mut calendars = self.calendars.lock().unwrap_or_else(PoisonError::into_inner);
        calendars.insert(district, (version, calendar.clone()));
        Ok(calendar)
    }

    fn kept(&self, district: i32, version: i64) -> Option<Arc<Calendar>> {
        let calendars = self.calendars.lock().unwrap_or_else(PoisonError::into_inner);
        calendars.get(&district).filter(|(kept, _)| *kept == version).map(|(_, calendar)| calendar.clone())
    }
}

impl Reference {
    /// What an action needs to know, but for merges.
    pub fn context(&self, now: OffsetDateTime) -> Context<'_> {
        Context {
            now,
            calendar: &self.calendar,
            limits: self.limits,
            reopen_window: REOPEN_WINDOW,
            answer_window: ANSWER_WINDOW,
            merge_root: None,
            has_merged_events: false,
        }
    }
}
