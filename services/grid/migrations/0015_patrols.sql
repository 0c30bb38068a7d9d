-- Patrols (巡查): plans, tracks, coverage.

create table patrol (
  district integer not null,
  id uuid not null,
  area text collate "C" not null,
  -- The staff member who walks it.
  assignee uuid not null,
  -- 1 planned, 2 ongoing, 3 done, 4 cancelled; missed is planned and due.
  state smallint not null,
  due_time timestamptz not null,
  create_time timestamptz not null,
  version bigint not null,
  -- model::patrol::Patrol
  body jsonb not null,
  primary key (district, id),
  constraint patrol_area foreign key (district, area) references area,
  constraint patrol_assignee foreign key (district, assignee) references staff_member
);
-- A person walks one patrol at a time.
create unique index patrol_ongoing on patrol (district, assignee) where state = 2;
create index patrol_assignee_newest on patrol (district, assignee, due_time, id);

-- Each patrol under its area and every one above it.
create table patrol_place (
  district integer not null,
  area text collate "C" not null,
  due_time timestamptz not null,
  patrol_id uuid not null,
  primary key (district, area, due_time, patrol_id),
  foreign key (district, patrol_id) references patrol
);

-- The track: a patrol has one point at a time.
create table patrol_point (
  district integer not null,
  patrol_id uuid not null,
  time timestamptz not null,
  latitude double precision not null,
  longitude double precision not null,
  accuracy double precision not null,
  primary key (district, patrol_id, time),
  foreign key (district, patrol_id) references patrol
);

-- Counts of each area with all below it by the local day of due_time, and on 0001-01-01 of all days: patrols that are not
-- cancelled, those of them that were walked to the end, their checkpoints, and the checkpoints that were passed.
create table patrol_count (
  district integer not null,
  area text collate "C" not null,
  day date not null,
  patrols bigint not null,
  done_patrols bigint not null,
  due bigint not null,
  done bigint not null,
  primary key (district, area, day)
);

alter table note add constraint note_patrol_exists foreign key (district, patrol_id) references patrol;
