-- Transfers to other authorities, confidential reports, and the public keys that both are sealed to.

create table receiver_key (
  district integer not null,
  -- The receiver's code: discipline, court, procuratorate, police, audit.
  receiver text collate "C" not null,
  id uuid not null,
  algorithm smallint not null,
  public_key bytea not null,
  registered_by text not null,
  create_time timestamptz not null,
  retired_by text,
  retire_time timestamptz,
  primary key (district, receiver, id),
  constraint receiver_key_once unique (district, receiver, public_key)
);

-- Register numbers: the last one given out in a year.
create table transfer_year (
  district integer not null,
  year integer not null,
  last integer not null,
  primary key (district, year)
);

create table transfer (
  district integer not null,
  id uuid not null,
  -- Copied from the body by the statements that write it.
  issue uuid not null,
  receiver text collate "C" not null,
  register_number text not null,
  state text not null,
  version bigint not null,
  -- model::transfer::Transfer
  body jsonb not null,
  -- The encapsulated key and the ciphertext; nobody but the receiver can open it. Null once withdrawn.
  sealed bytea,
  primary key (district, id),
  constraint transfer_register_number unique (district, register_number)
);
-- An issue goes to one authority at a time.
create unique index transfer_live on transfer (district, issue) where state not in ('RETURNED', 'WITHDRAWN');
create index transfer_issue on transfer (district, issue, id);
create index transfer_receiver on transfer (district, receiver, id) where state in ('SENT', 'ACKNOWLEDGED', 'RETURNED');

-- Exactly one row for each change of a transfer.
create table transfer_record (
  district integer not null,
  transfer uuid not null,
  version bigint not null,
  action text not null,
  from_state text,
  to_state text not null,
  subject text not null,
  create_time timestamptz not null,
  primary key (district, transfer, version),
  foreign key (district, transfer) references transfer
);

create table confidential_report (
  district integer not null,
  id uuid not null,
  reporter text collate "C" not null,
  receiver text collate "C" not null,
  -- office, or the code of a department behind departments/
  about text collate "C" not null,
  version bigint not null,
  -- model::report::Report
  body jsonb not null,
  sealed bytea not null,
  primary key (district, id)
);
create index confidential_report_reporter on confidential_report (district, reporter, id);
create index confidential_report_receiver on confidential_report (district, receiver, id);

create table confidential_report_record (
  district integer not null,
  report uuid not null,
  version bigint not null,
  action text not null,
  to_state text not null,
  subject text not null,
  create_time timestamptz not null,
  primary key (district, report, version),
  foreign key (district, report) references confidential_report
);
