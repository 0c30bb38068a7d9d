-- Casual notes (随手记) and their counts.

create table note (
  district integer not null,
  id uuid not null,
  area text collate "C" not null,
  author text not null,
  -- The patrol on which it was taken.
  patrol_id uuid,
  -- When its author took it, as the author's device says; create_time is ours and what lists and counts go by.
  take_time timestamptz not null,
  create_time timestamptz not null,
  -- The id of the event that it may become, fixed with the note: however often and by whomever it is reported, the event's
  -- own key lets one through. `reported` once that event exists.
  report_id uuid not null,
  reported boolean not null default false,
  version bigint not null default 1,
  -- model::note::Note
  body jsonb not null,
  primary key (district, id),
  constraint note_report unique (district, report_id),
  constraint note_area foreign key (district, area) references area
);
create index note_author on note (district, author, create_time, id);
create index note_patrol on note (district, patrol_id, create_time, id) where patrol_id is not null;

-- Each note under its area and every one above it: the newest notes of any area, also of those that became events and those
-- that did not, are one index range.
create table note_place (
  district integer not null,
  area text collate "C" not null,
  create_time timestamptz not null,
  note_id uuid not null,
  reported boolean not null default false,
  primary key (district, area, create_time, note_id)
);
create index note_place_reported on note_place (district, area, reported, create_time, note_id);

-- Counts of each area with all below it, by the local day of create_time, and on 0001-01-01 of all days; written by the
-- statements that change a note. A note that became an event counts on the day of the note: the two make a share.
create table note_count (
  district integer not null,
  area text collate "C" not null,
  day date not null,
  notes bigint not null,
  became_events bigint not null,
  primary key (district, area, day),
  check (notes >= 0 and became_events >= 0)
);
