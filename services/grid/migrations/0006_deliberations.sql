-- Deliberations: what was talked over, decided and has to be done.

create table deliberation (
  district integer not null,
  id uuid not null,
  area text collate "C" not null,
  state smallint not null,
  -- Whether somebody still has to do something.
  open boolean not null,
  -- When a publicity leads to the follow-up by itself.
  publicity_end timestamptz,
  create_time timestamptz not null,
  version bigint not null,
  -- model::deliberation::Deliberation
  body jsonb not null,
  primary key (district, id),
  constraint deliberation_area foreign key (district, area) references area
);
create index deliberation_open on deliberation (district, area, id) where open;

-- Each deliberation under every unit that it concerns (the convening area, owners of action items, and all areas above these):
-- the newest of a unit, in a state or about an event, are one index range. The state is that of `deliberation`.
create table deliberation_concern (
  district integer not null,
  -- As model::unit writes it: areas/CODE or departments/CODE.
  unit text collate "C" not null,
  deliberation_id uuid not null,
  state smallint not null,
  create_time timestamptz not null,
  primary key (district, unit, deliberation_id),
  foreign key (district, deliberation_id) references deliberation
);
create index deliberation_concern_newest on deliberation_concern (district, unit, state, create_time, deliberation_id);
create index deliberation_concern_of on deliberation_concern (district, deliberation_id);

create table deliberation_event (
  district integer not null,
  event_id uuid not null,
  deliberation_id uuid not null,
  primary key (district, event_id, deliberation_id),
  constraint deliberation_event_event foreign key (district, event_id) references event,
  foreign key (district, deliberation_id) references deliberation
);
create index deliberation_event_of on deliberation_event (district, deliberation_id);

-- The open action items of a unit, the one due first at the top; closed ones are in the body only.
create table deliberation_item (
  district integer not null,
  unit text collate "C" not null,
  due_date date not null,
  deliberation_id uuid not null,
  number integer not null,
  primary key (district, unit, due_date, deliberation_id, number),
  foreign key (district, deliberation_id) references deliberation
);
create index deliberation_item_of on deliberation_item (district, deliberation_id);

-- Exactly one row for each change.
create table deliberation_record (
  district integer not null,
  deliberation_id uuid not null,
  version bigint not null,
  action smallint not null,
  from_state smallint,
  to_state smallint not null,
  actor text not null,
  role text not null,
  unit text collate "C" not null,
  create_time timestamptz not null,
  note text not null,
  numbers integer[] not null,
  -- All that was given; may name people.
  details jsonb not null,
  primary key (district, deliberation_id, version),
  foreign key (district, deliberation_id) references deliberation
);
