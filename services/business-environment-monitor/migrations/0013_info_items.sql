-- What monitors see and collect: observations, items of market information, the issues behind which they are, and counts.

-- Visits and experiences: written once.
create table observation (
  district integer not null,
  id uuid not null,
  experience boolean not null,
  -- Copied from the body by the statement that writes it.
  person text collate "C" not null,
  enterprise text collate "C",
  day date not null,
  -- model::observation::Observation
  body jsonb not null,
  primary key (district, id),
  constraint observation_of_enterprise foreign key (district, enterprise) references enterprise (district, code)
);
-- Also what monitors delivered in a period, without a look at the rows.
create index observation_newest on observation (district, experience, day, id) include (person);
create index observation_person on observation (district, person, experience, day, id);
create index observation_enterprise on observation (district, enterprise, experience, day, id) where enterprise is not null;

-- States and actions are numbered as in the proto.
create table info_item (
  district integer not null,
  id uuid not null,
  collector text collate "C" not null,
  collect_time timestamptz not null,
  -- The first day of the local month of that time: the one it is counted in.
  month date not null,
  enterprise text collate "C",
  observation uuid,
  state smallint not null,
  merged_into uuid,
  -- Where following merged_into ends: itself unless merged.
  root uuid not null,
  -- Whether the root is behind an issue.
  behind boolean not null,
  version bigint not null,
  -- model::info_item::InfoItem
  body jsonb not null,
  primary key (district, id),
  constraint info_item_of_enterprise foreign key (district, enterprise) references enterprise (district, code),
  foreign key (district, observation) references observation,
  foreign key (district, merged_into) references info_item,
  -- 4 merged
  constraint info_item_merged check ((state = 4) = (merged_into is not null))
);
-- Also what monitors delivered in a period, without a look at the rows.
create index info_item_newest on info_item (district, collect_time, id) include (collector, behind);
create index info_item_collector on info_item (district, collector, collect_time, id);
create index info_item_state on info_item (district, state, collect_time, id);
create index info_item_enterprise on info_item (district, enterprise, collect_time, id) where enterprise is not null;
create index info_item_root on info_item (district, root, id) include (collector);
create index info_item_merged_into on info_item (district, merged_into, id) where merged_into is not null;

-- Exactly one row for each change of an item.
create table info_item_record (
  district integer not null,
  item uuid not null,
  version bigint not null,
  action smallint not null,
  from_state smallint,
  to_state smallint not null,
  subject text not null,
  text text not null,
  -- The other item of a merge, or the issue of a link.
  other uuid,
  create_time timestamptz not null,
  primary key (district, item, version),
  foreign key (district, item) references info_item
);

-- Which promoted items are behind which issues, as in the items' bodies.
create table info_item_issue (
  district integer not null,
  item uuid not null,
  issue uuid not null,
  -- The item's version that the link came with: the order of an item's links.
  version bigint not null,
  create_time timestamptz not null,
  primary key (district, item, issue),
  foreign key (district, item) references info_item,
  constraint info_item_issue_issue foreign key (district, issue) references issue
);
create index info_item_issue_issue on info_item_issue (district, issue, item);

-- Counts, kept by the statements that change what is counted.
create table info_item_count (
  district integer not null,
  month date not null,
  -- 1 to 6 the items collected in the month, by state; 7 those of them behind an issue; 8 the issues submitted in the month that
  -- have an item behind them.
  kind smallint not null,
  count bigint not null,
  primary key (district, month, kind)
);
