-- Annual assessments: one for each appointment and year, with the figures as they were.
create table duty_assessment (
  district integer not null,
  appointment uuid not null,
  year integer not null,
  -- As in the proto.
  grade smallint not null,
  comment text not null,
  assessor text not null,
  create_time timestamptz not null,
  owed_periods integer not null,
  fulfilled_periods integer not null,
  primary key (district, appointment, year),
  foreign key (district, appointment) references appointment
);
