-- Batches, the appointments in them with what was done to each, certificates.

create table batch (
  district integer not null,
  id uuid not null,
  version bigint not null,
  -- model::appointment::batch::Batch
  body jsonb not null,
  primary key (district, id)
);

create table appointment (
  district integer not null,
  id uuid not null,
  batch uuid not null,
  -- Copied from the body by the statements that write it.
  person text collate "C" not null,
  role text collate "C" not null,
  state text not null,
  -- The term, both days included, and the certificate; null before it.
  first_date date,
  last_date date,
  certificate text collate "C",
  version bigint not null,
  -- model::appointment::Appointment
  body jsonb not null,
  primary key (district, id),
  foreign key (district, batch) references batch,
  constraint appointment_certificate unique (district, certificate)
);
create index appointment_batch on appointment (district, batch, id);
create index appointment_person on appointment (district, person, role, id);

-- Exactly one row for each change of an appointment.
create table appointment_record (
  district integer not null,
  appointment uuid not null,
  version bigint not null,
  action text not null,
  from_state text,
  to_state text not null,
  subject text not null,
  reason text not null,
  create_time timestamptz not null,
  primary key (district, appointment, version),
  foreign key (district, appointment) references appointment
);

-- Certificate numbers: the last one given out in a year.
create table certificate_year (
  district integer not null,
  year integer not null,
  last integer not null,
  primary key (district, year)
);
