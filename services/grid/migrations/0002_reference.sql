-- Reference data of a district: areas, departments, people, contact cards, categories, the work calendar.
-- Area codes sort and compare as bytes (collate "C"): a prefix is a range.

create table area (
  district integer not null,
  code text collate "C" not null,
  depth smallint not null check (depth = length(code) / 3 - 2),
  -- The version number last given out; also what the etag is made of.
  version bigint not null,
  create_time timestamptz not null,
  primary key (district, code),
  check (code ~ '^[0-9]{6}([0-9]{3}){0,4}$' and left(code, 6) = district::text)
);
create index area_depth on area (district, depth, code);

create table area_version (
  district integer not null,
  code text collate "C" not null,
  version bigint not null,
  display_name text not null,
  service_phone text not null,
  -- GeoJSON in WGS-84, empty where unknown; boundary_source is the CoordinateSystem it was given in.
  boundary text not null,
  boundary_source smallint not null,
  effective_time timestamptz not null,
  create_time timestamptz not null,
  primary key (district, code, version),
  foreign key (district, code) references area
);
create index area_version_effective on area_version (district, code, effective_time desc, version desc);

-- The outer rings of the boundaries. A search asks the box first (the index) and the ring then.
create table area_ring (
  district integer not null,
  code text collate "C" not null,
  version bigint not null,
  ring_number integer not null,
  ring polygon not null,
  primary key (district, code, version, ring_number),
  foreign key (district, code, version) references area_version
);
create index area_ring_box on area_ring using gist (ring);

create table category (
  district integer not null,
  code text collate "C" not null,
  parent text collate "C",
  display_name text not null,
  -- {step: {unit, amount}}; what is missing is inherited.
  limits jsonb not null,
  -- [{code, display_name, limits}]
  conditions jsonb not null,
  verify_public_reports boolean not null,
  retired boolean not null,
  version bigint not null,
  primary key (district, code),
  foreign key (district, parent) references category,
  constraint category_two_levels check (parent is distinct from code)
);
create index category_parent on category (district, parent, code);

create table department (
  district integer not null,
  code text collate "C" not null,
  display_name text not null,
  kind smallint not null,
  duty_phone text not null,
  duties text[] not null,
  served_areas text[] not null,
  version bigint not null,
  primary key (district, code)
);
create index department_duties on department using gin (duties);

create table staff_member (
  district integer not null,
  id uuid not null,
  display_name text not null,
  duty_phone text not null,
  -- null for a person who never signs in
  subject text,
  home_unit text not null,
  version bigint not null,
  primary key (district, id),
  constraint staff_member_subject unique (district, subject)
);

create table posting (
  district integer not null,
  id uuid not null,
  staff_id uuid not null,
  area text collate "C" not null,
  role smallint not null,
  start_time timestamptz not null,
  planned_end_time timestamptz,
  end_time timestamptz,
  end_reason text not null default '',
  version bigint not null,
  primary key (district, id),
  constraint posting_staff foreign key (district, staff_id) references staff_member,
  constraint posting_area foreign key (district, area) references area,
  check (end_time >= start_time)
);
create unique index posting_active on posting (district, staff_id, area, role) where end_time is null;
-- An area has one chief (role 1).
create unique index posting_one_chief on posting (district, area) where end_time is null and role = 1;
create index posting_area_role on posting (district, area, role, id);
create index posting_staff_member on posting (district, staff_id, id);

create table contact_card (
  district integer not null,
  area text collate "C" not null,
  public_id text not null,
  -- The content's version, from 1.
  version bigint not null,
  primary key (district, area),
  constraint contact_card_public unique (district, public_id),
  foreign key (district, area) references area
);

create table contact_card_version (
  district integer not null,
  area text collate "C" not null,
  version bigint not null,
  -- {people: [{role, display_name, duty_phone}], service_phone}
  content jsonb not null,
  create_time timestamptz not null,
  primary key (district, area, version),
  foreign key (district, area) references contact_card
);

create table contact_card_delivery (
  district integer not null,
  id uuid not null,
  area text collate "C" not null,
  household text not null,
  version bigint not null,
  deliverer text not null,
  deliver_time timestamptz not null,
  primary key (district, id),
  constraint delivery_version foreign key (district, area, version) references contact_card_version
);
create index contact_card_delivery_area on contact_card_delivery (district, area, id desc);

create table work_calendar (
  district integer primary key,
  -- [{weekday, start_minute, end_minute}]
  shifts jsonb not null,
  -- [{date, kind, display_name}]
  days jsonb not null,
  years integer[] not null,
  version bigint not null
);
