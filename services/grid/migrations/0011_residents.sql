-- What residents need: how to reach a reporter, kept apart and encrypted; reviews; places of reports for duplicates and hot spots.

alter table event add column review_time timestamptz;
create index event_review on event (district, review_time, id) where review_time is not null;

-- The reporter's telephone number, sealed with the key of that id, and the hash of the tracking code. Deleting a row forgets the reporter.
create table event_contact (
  district integer not null,
  event_id uuid not null,
  key_id text,
  sealed bytea,
  code_hash bytea,
  -- Wrong secrets shown for the case since then.
  attempts smallint not null default 0,
  attempts_since timestamptz,
  primary key (district, event_id),
  foreign key (district, event_id) references event,
  check ((key_id is null) = (sealed is null))
);
-- Finds what is still sealed with an old key.
create index event_contact_key on event_contact (district, key_id) where key_id is not null;

-- Where reports lie: cells of a grid (model::spot), so that what lies near is found in the cells around.
create table event_spot (
  district integer not null,
  cell bigint not null,
  category text collate "C" not null,
  report_time timestamptz not null,
  event_id uuid not null,
  area text collate "C" not null,
  -- null where only the area is known
  latitude double precision,
  longitude double precision,
  primary key (district, cell, category, report_time, event_id)
);
create index event_spot_time on event_spot (district, report_time);
