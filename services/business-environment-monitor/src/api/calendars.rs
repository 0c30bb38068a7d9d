//! The districts' work calendars, kept until another version is stored.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jingwei_work_calendar::Calendar;
use sqlx::PgPool;

use crate::error::Error;
use crate::store;

/// Calendars by district, with the version that was read.
type Kept = HashMap<i32, (i64, Arc<Calendar>)>;

/// Reads a calendar where its version is another than the one kept.
#[derive(Clone)]
pub struct Calendars {
    pool: PgPool,
    kept: Arc<Mutex<Kept>>,
}

impl Calendars {
    /// Reads from this database.
    pub fn new(pool: PgPool) -> Self {
        Self { pool, kept: Arc::default() }
    }

    /// A district's calendar of this version or a later one.
    ///
    /// # Errors
    /// `CalendarMissing` where it has none; those of the database.
    pub async fn of(&self, district: i32, version: Option<i64>) -> Result<Arc<Calendar>, Error> {
        let version = version.ok_or(Error::CalendarMissing)?;
        match self.kept(district, version) {
            Some(kept) => Ok(kept),
            None => self.latest(district).await,
        }
    }

    /// A district's calendar as it is stored now.
    ///
    /// # Errors
    /// As `of`.
    pub async fn latest(&self, district: i32) -> Result<Arc<Calendar>, Error> {
        let found = store::calendar::get(&self.pool, district).await?;
        let (version, calendar) = found.ok_or(Error::CalendarMissing)?;
        let calendar = Arc::new(calendar);
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(district, (version, calendar.clone()));
        Ok(calendar)
    }

    fn kept(&self, district: i32, version: i64) -> Option<Arc<Calendar>> {
        let all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&district).filter(|(kept, _)| *kept == version).map(|(_, calendar)| calendar.clone())
    }
}
