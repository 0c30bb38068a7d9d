-- Symposiums, with those invited, and what was done with each.

create table symposium (
  district integer not null,
  id uuid not null,
  state text not null,
  version bigint not null,
  -- model::symposium::Symposium
  body jsonb not null,
  primary key (district, id)
);
create index symposium_published on symposium (district, id) where state = 'FOLLOW_UP_PUBLISHED';

create table symposium_invitee (
  district integer not null,
  -- As in the proto: 1 monitor, 2 enterprise, 3 department.
  kind smallint not null,
  code text collate "C" not null,
  symposium uuid not null,
  primary key (district, kind, code, symposium),
  foreign key (district, symposium) references symposium
);

-- Exactly one row for each change of a symposium.
create table symposium_record (
  district integer not null,
  symposium uuid not null,
  version bigint not null,
  action text not null,
  from_state text,
  to_state text not null,
  subject text not null,
  create_time timestamptz not null,
  primary key (district, symposium, version),
  foreign key (district, symposium) references symposium
);
