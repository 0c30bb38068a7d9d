-- Issues, their timelines, the work calendar.

-- Case numbers: the last one given out on a local day.
create table case_day (
  district integer not null,
  day date not null,
  last integer not null,
  primary key (district, day)
);

create table work_calendar (
  district integer primary key,
  -- [{weekday, start_minute, end_minute}]
  shifts jsonb not null,
  -- [{date, kind, display_name}]
  days jsonb not null,
  years integer[] not null,
  version bigint not null
);

create table issue (
  district integer not null,
  id uuid not null,
  case_number text not null,
  submit_time timestamptz not null,
  -- What lists and the sweep look for, copied from the body by the one statement that writes it. States, actions and classes
  -- are numbered as in the proto.
  submitter text collate "C" not null,
  state smallint not null,
  -- The current round's; null before it has one.
  department text collate "C",
  class smallint,
  -- 0 none, 1 amber, 2 red
  level smallint not null,
  due_time timestamptz,
  -- When the sweep has to look at it next.
  alarm_time timestamptz,
  version bigint not null,
  -- model::issue::Issue
  body jsonb not null,
  primary key (district, id),
  constraint issue_case_number unique (district, case_number)
);
create index issue_newest on issue (district, submit_time, id);
create index issue_submitter_newest on issue (district, submitter, submit_time, id);
create index issue_department_newest on issue (district, department, submit_time, id) where department is not null;
-- A page of several states is put together from one of each.
create index issue_state_newest on issue (district, state, submit_time, id);
create index issue_department_state on issue (district, department, state, submit_time, id) where department is not null;
create index issue_class_newest on issue (district, class, submit_time, id) where class is not null;
-- Late ones are few: they are found here and sorted.
create index issue_pressed on issue (district, submit_time, id) where level > 0;
create index issue_alarm on issue (district, alarm_time, id) where alarm_time is not null;

-- Exactly one row for each change of an issue; seq is its place in the district's change feed.
create table issue_transition (
  district integer not null,
  issue_id uuid not null,
  version bigint not null,
  seq bigint not null,
  action smallint not null,
  from_state smallint,
  to_state smallint not null,
  create_time timestamptz not null,
  -- model::issue::transition::Transition
  body jsonb not null,
  primary key (district, issue_id, version)
);
create unique index issue_transition_seq on issue_transition (district, seq);
