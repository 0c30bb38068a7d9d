-- Events, their transitions and the counts folded from them.

-- Case numbers: the last one given out on a local day.
create table case_day (
  district integer not null,
  day date not null,
  last integer not null,
  primary key (district, day)
);

create table event (
  district integer not null,
  id uuid not null,
  case_number text not null,
  category text collate "C" not null,
  area text collate "C" not null,
  area_version bigint not null,
  report_time timestamptz not null,
  -- What lists and the sweep look for, copied from the body by the one statement that writes it.
  state smallint not null,
  -- Units as model::unit writes them: areas/CODE or departments/CODE.
  holder text collate "C" not null,
  lead text collate "C",
  alarm smallint not null,
  due_time timestamptz,
  -- When the sweep has to look at it next.
  alarm_time timestamptz,
  merged_into uuid,
  -- How many events are merged into it now: guards against merging into what is itself being merged or closed.
  merged_count integer not null default 0,
  version bigint not null,
  -- model::event::Event
  body jsonb not null,
  primary key (district, id),
  constraint event_case_number unique (district, case_number),
  constraint event_category foreign key (district, category) references category,
  constraint event_area foreign key (district, area, area_version) references area_version (district, code, version),
  constraint event_merged_into foreign key (district, merged_into) references event
);
create index event_holder_due on event (district, holder, due_time, id) where due_time is not null;
create index event_due on event (district, due_time, id) where due_time is not null;
create index event_holder_newest on event (district, holder, report_time, id);
create index event_lead_newest on event (district, lead, report_time, id) where lead is not null;
-- States 1 to 8 are the open ones: rare states stay quick to find among many closed events.
create index event_open on event (district, state, report_time, id) where state <= 8;
create index event_alarm on event (district, alarm_time) where alarm_time is not null;
create index event_merged on event (district, merged_into) where merged_into is not null;

-- Each event under its area and every one above it: the newest events of any area are one index range.
-- Written once with the report, so that later changes of the event do not touch it.
create table event_place (
  district integer not null,
  area text collate "C" not null,
  report_time timestamptz not null,
  event_id uuid not null,
  primary key (district, area, report_time, event_id)
);

-- Exactly one row for each change of an event, chained by hashes; seq is its place in the district's change feed.
create table event_transition (
  district integer not null,
  event_id uuid not null,
  version bigint not null,
  seq bigint not null,
  action smallint not null,
  from_state smallint,
  to_state smallint not null,
  actor text not null,
  role smallint not null,
  unit text collate "C" not null,
  area text collate "C" not null,
  area_version bigint not null,
  create_time timestamptz not null,
  reason text not null,
  note text not null,
  details jsonb not null,
  previous_hash bytea not null,
  hash bytea not null,
  -- What it adds to the counts of its area and day: codes of model::count::Metric, negative = one less.
  counts integer[] not null,
  primary key (district, event_id, version),
  foreign key (district, event_id) references event
);
create unique index event_transition_seq on event_transition (district, seq);

-- Counts of each area with all below it, by local day: the fold of all transitions up to count_head.seq.
create table event_count (
  district integer not null,
  area text collate "C" not null,
  day date not null,
  metric integer not null,
  count bigint not null,
  primary key (district, area, day, metric)
);
create table count_head (
  district integer primary key,
  seq bigint not null
);
