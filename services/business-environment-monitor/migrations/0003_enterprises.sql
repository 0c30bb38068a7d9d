-- Enterprises, what they need, and the facts that meet it.

create table enterprise (
  district integer not null,
  -- The unified social credit code.
  code text collate "C" not null,
  display_name text not null,
  -- A section of GB/T 4754, A to T; empty where not known, like the two below.
  industry text collate "C" not null,
  street text collate "C" not null,
  liaison text collate "C" not null,
  address text not null,
  -- As in the proto; 0 where not known.
  scale smallint not null,
  retired boolean not null,
  version bigint not null,
  primary key (district, code)
);
create index enterprise_industry on enterprise (district, industry, code);
create index enterprise_street on enterprise (district, street, code);
create index enterprise_liaison on enterprise (district, liaison, code) where liaison <> '';

-- Kinds and states are numbered as in the proto.
create table need (
  district integer not null,
  id uuid not null,
  enterprise text collate "C" not null,
  raise_time timestamptz not null,
  state smallint not null,
  version bigint not null,
  -- model::need::Need
  body jsonb not null,
  primary key (district, id),
  constraint need_of_enterprise foreign key (district, enterprise) references enterprise (district, code)
);
create index need_newest on need (district, raise_time, id);
create index need_enterprise_newest on need (district, enterprise, raise_time, id);
create index need_state_newest on need (district, state, raise_time, id);

-- The facts again, each a row, for what must be unique and for sums.
create table fact (
  district integer not null,
  id uuid not null,
  need_id uuid not null,
  kind smallint not null,
  amount bigint not null,
  reference text,
  -- 1 recorded, 2 confirmed, 3 disputed
  state smallint not null,
  -- The local day of the decision.
  decide_day date,
  primary key (district, id)
);
-- One disbursement counts once; what was disputed can be recorded anew.
create unique index fact_reference on fact (district, kind, reference) where reference is not null and state <> 3;
create index fact_confirmed on fact (district, decide_day) include (kind, amount) where state = 2;
