//! `grid recount`: folds all transitions and notes again and compares the counters with that; repairs them on request.

use std::fmt;

use futures::TryStreamExt;
use sqlx::PgPool;

use crate::store;
use crate::store::recount::{differences, without_limit};
use crate::store::{note_count, recount};

/// A counter that is not what it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Of events: the transitions say something else.
    Events(recount::Difference),
    /// Of notes.
    Notes(note_count::Difference),
}

/// What to recount.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recount {
    /// One district; every one where `None`.
    pub district: Option<i32>,
    /// Whether the counters are set right.
    pub repair: bool,
}

/// Arguments that `grid recount` does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "usage: grid recount [--district DISTRICT] [--repair]\n用法：grid recount [--district 区县代码] [--repair]"
)]
pub struct Usage;

impl Recount {
    /// From the arguments after `recount`.
    ///
    /// # Errors
    /// `Usage`.
    pub fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Usage> {
        let mut recount = Self::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--repair" => recount.repair = true,
                "--district" => {
                    let district = arguments.next().and_then(|text| text.parse().ok());
                    recount.district = Some(district.ok_or(Usage)?);
                }
                _ => return Err(Usage),
            }
        }
        Ok(recount)
    }

    /// Tells every difference, district by district, and answers with how many there are. Writers go on meanwhile; roll-ups
    /// of a district wait for its repair, which is one transaction.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn run(self, pool: &PgPool, mut tell: impl FnMut(i32, &Difference)) -> sqlx::Result<usize> {
        let mut found = 0;
        let districts = match self.district {
            Some(district) => vec![district],
            None => store::event::districts(pool).await?,
        };
        for district in districts {
            let mut transaction = pool.begin().await?;
            without_limit(&mut transaction).await?;
            if self.repair {
                store::count::lock_head(&mut transaction, district).await?;
            }
            let each = differences(&mut transaction, district, self.repair).try_for_each(|difference| {
                found += 1;
                tell(district, &Difference::Events(difference));
                std::future::ready(Ok(()))
            });
            each.await?;
            for difference in note_count::recount(&mut transaction, district, self.repair).await? {
                found += 1;
                tell(district, &Difference::Notes(difference));
            }
            transaction.commit().await?;
        }
        Ok(found)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Events(found) => {
                let recount::Difference { area, dimension, member, span, day, metric, .. } = found;
                write!(f, "area {area} dimension {dimension} {member:?} span {span} {day} metric {metric}")?;
                if let Some(minutes) = found.minutes {
                    write!(f, " minutes {minutes}")?;
                }
                write!(f, ": counted {}, folded {}", found.counted, found.folded)
            }
            Difference::Notes(found) => {
                let note_count::Difference { area, day, counted, folded } = found;
                write!(f, "area {area} notes {day}: counted {counted:?}, folded {folded:?}")
            }
        }
    }
}
