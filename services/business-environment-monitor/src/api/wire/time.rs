//! Moments: `google.protobuf.Timestamp` and the time of the model.

use jingwei_kit::status::Violations;
use prost_types::Timestamp;
use time::OffsetDateTime;

/// A moment on the wire.
pub fn write(time: OffsetDateTime) -> Timestamp {
    Timestamp { seconds: time.unix_timestamp(), nanos: i32::try_from(time.nanosecond()).unwrap_or(0) }
}

/// A moment on the wire, where there is one.
pub fn write_option(time: Option<OffsetDateTime>) -> Option<Timestamp> {
    time.map(write)
}

/// The moment that a field holds, to the microsecond; else `None`, with a violation noted where it is set and wrong, or missing.
pub fn read(field: &str, time: Option<&Timestamp>, violations: &mut Violations) -> Option<OffsetDateTime> {
    let Some(time) = time else {
        violations.add(field, "required", "须填写时间", "must be set");
        return None;
    };
    let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
    let read = OffsetDateTime::from_unix_timestamp_nanos(nanos)
        .ok()
        .filter(|_| (0..1_000_000_000).contains(&time.nanos));
    // Years beyond these have no calendar, and some have no text form.
    let read = read.filter(|t| (1950..=2200).contains(&t.year()));
    if read.is_none() {
        violations.add(
            field,
            "timestamp",
            "须为 1950 至 2200 年之间的时间",
            "must be a time in the years 1950 to 2200",
        );
    }
    read.map(OffsetDateTime::truncate_to_microsecond)
}

/// As `read`, for a field that may be unset.
pub fn read_option(
    field: &str,
    time: Option<&Timestamp>,
    violations: &mut Violations,
) -> Option<OffsetDateTime> {
    time.and_then(|time| read(field, Some(time), violations))
}
