-- What people who are posted do, and what is handed over when a posting ends.

create table work_record (
  district integer not null,
  id uuid not null,
  posting_id uuid not null,
  staff_id uuid not null,
  area text collate "C" not null,
  day date not null,
  category smallint not null,
  text text not null,
  -- Resource names of events, notes and deliberations.
  links text[] not null,
  -- [{text, uri, sha256}]
  evidence jsonb not null,
  -- {grade, comment, reviewer, at}; null before it is reviewed.
  review jsonb,
  create_time timestamptz not null,
  version bigint not null,
  primary key (district, id),
  constraint work_record_posting foreign key (district, posting_id) references posting,
  constraint work_record_staff foreign key (district, staff_id) references staff_member
);
create index work_record_posting_day on work_record (district, posting_id, day, id);
create index work_record_staff_day on work_record (district, staff_id, day, id);

-- Each work record under its area and every one above it: the newest of any area are one index range.
create table work_record_place (
  district integer not null,
  area text collate "C" not null,
  day date not null,
  record_id uuid not null,
  reviewed boolean not null,
  primary key (district, area, day, record_id),
  foreign key (district, record_id) references work_record
);
create index work_record_place_unreviewed on work_record_place (district, area, day, record_id) where not reviewed;
create index work_record_place_of on work_record_place (district, record_id);

create table hand_over (
  district integer not null,
  id uuid not null,
  posting_id uuid not null,
  area text collate "C" not null,
  predecessor uuid not null,
  successor uuid not null,
  -- {events, deliberations, work_records, patrols: {count, ids}}
  open jsonb not null,
  create_time timestamptz not null,
  confirm_time timestamptz,
  note text not null default '',
  version bigint not null,
  primary key (district, id),
  -- A posting is handed over once.
  constraint hand_over_posting unique (district, posting_id),
  foreign key (district, posting_id) references posting,
  foreign key (district, predecessor) references staff_member,
  foreign key (district, successor) references staff_member
);
create index hand_over_area on hand_over (district, area, id);
create index hand_over_successor on hand_over (district, successor, id);
create index hand_over_predecessor on hand_over (district, predecessor, id);
