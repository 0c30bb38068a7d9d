//! Patrols (巡查): what has to be passed, who walks, and what the track covered.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::area::AreaCode;
use super::position::{Boundary, Point};

/// How near a point has to be passed where the plan does not say, in metres.
pub const DEFAULT_RADIUS: u32 = 50;

/// A patrol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Patrol {
    /// The district.
    pub district: i32,
    /// The id.
    pub id: Uuid,
    /// Where.
    pub area: AreaCode,
    /// The staff member who walks it.
    pub assignee: Uuid,
    /// From when it can be walked.
    pub opens: Option<OffsetDateTime>,
    /// Until when it must be started.
    pub due: OffsetDateTime,
    /// What has to be passed.
    pub checkpoints: Vec<Checkpoint>,
    /// How near a point has to be passed, in metres.
    pub radius: u32,
    /// What it is at.
    pub state: State,
    /// When it was started.
    pub started: Option<OffsetDateTime>,
    /// When it was ended.
    pub ended: Option<OffsetDateTime>,
    /// The number of changes, from 1.
    pub version: i64,
}

/// What a patrol is at. Stored as its place in this order, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Planned 待巡查; missed once it is due.
    Planned,
    /// Being walked 巡查中.
    Ongoing,
    /// Walked to its end 已完成.
    Done,
    /// Cancelled 已取消.
    Cancelled,
}

impl State {
    /// The stored number.
    pub fn number(self) -> i16 {
        self as i16 + 1
    }
}

/// Something that has to be passed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What it is called; may be empty.
    pub display_name: String,
    /// What it is.
    pub place: CheckpointPlace,
    /// Whether it was passed.
    pub covered: bool,
}

/// A point that has to be passed near by, or an area that has to be entered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointPlace {
    /// A point.
    Point(Point),
    /// An area.
    Area(AreaCode),
}

/// Where the assignee was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrackPoint {
    /// When, by the device's clock.
    pub time: OffsetDateTime,
    /// Where.
    pub point: Point,
    /// The radius in which it is likely to be, in metres.
    pub accuracy: f64,
}

/// Why a patrol cannot be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not from what it is at.
    State {
        /// What it is at; `None` = missed.
        state: Option<State>,
    },
    /// It cannot be started before this.
    NotOpen {
        /// From when.
        opens: OffsetDateTime,
    },
    /// The person walks another patrol.
    Ongoing,
    /// The caller is not who walks it.
    NotAssignee,
}

impl Patrol {
    /// Whether it was not started when it was due 漏巡.
    pub fn is_missed(&self, now: OffsetDateTime) -> bool {
        self.state == State::Planned && now > self.due
    }

    /// How many of its checkpoints were passed.
    pub fn done(&self) -> usize {
        self.checkpoints.iter().filter(|c| c.covered).count()
    }

    /// Started at `at`, as the device says.
    ///
    /// # Errors
    /// `State` where it is not planned or was missed by then, `NotOpen`.
    pub fn started(mut self, at: OffsetDateTime) -> Result<Self, Refusal> {
        self.must_be(State::Planned, at)?;
        if let Some(opens) = self.opens.filter(|opens| at < *opens) {
            return Err(Refusal::NotOpen { opens });
        }
        (self.state, self.started) = (State::Ongoing, Some(at));
        Ok(self.next())
    }

    /// Ended at `at`, which is not before its start. Errors: `State`.
    pub fn ended(mut self, at: OffsetDateTime) -> Result<Self, Refusal> {
        self.must_be(State::Ongoing, at)?;
        (self.state, self.ended) = (State::Done, Some(at));
        Ok(self.next())
    }

    /// Cancelled at `now`. Errors: `State` where it was started or missed.
    pub fn cancelled(mut self, now: OffsetDateTime) -> Result<Self, Refusal> {
        self.must_be(State::Planned, now)?;
        self.state = State::Cancelled;
        Ok(self.next())
    }

    /// With what the points of its track cover; never with less than before.
    ///
    /// # Errors
    /// `State` where it is not ongoing.
    pub fn tracked(
        mut self,
        track: &[TrackPoint],
        boundaries: &[(AreaCode, Boundary)],
        now: OffsetDateTime,
    ) -> Result<Self, Refusal> {
        self.must_be(State::Ongoing, now)?;
        for checkpoint in self.checkpoints.iter_mut().filter(|c| !c.covered) {
            checkpoint.covered =
                track.iter().any(|at| passes(at, &checkpoint.place, self.radius, boundaries));
        }
        Ok(self.next())
    }

    fn must_be(&self, state: State, at: OffsetDateTime) -> Result<(), Refusal> {
        if self.is_missed(at) {
            return Err(Refusal::State { state: None });
        }
        if self.state != state { Err(Refusal::State { state: Some(self.state) }) } else { Ok(()) }
    }

    fn next(mut self) -> Self {
        self.version += 1;
        self
    }
}

/// Whether a point of the track passes a place: a point within the radius, if it is known that well; an area by lying in it.
fn passes(
    at: &TrackPoint,
    place: &CheckpointPlace,
    radius: u32,
    boundaries: &[(AreaCode, Boundary)],
) -> bool {
    let radius = f64::from(radius);
    match place {
        CheckpointPlace::Point(point) => at.accuracy <= radius && at.point.metres_to(*point) <= radius,
        CheckpointPlace::Area(area) => {
            boundaries.iter().any(|(code, boundary)| code == area && boundary.contains(at.point))
        }
    }
}

#[cfg(test)]
mod tests;
