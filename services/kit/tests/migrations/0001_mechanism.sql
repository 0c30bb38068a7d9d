-- What a service's first migration holds for the mechanism, as documented in the kit, and a table that tests write to.
create table feed_head (district integer primary key, seq bigint not null);
create table outbox (
  district integer not null, seq bigint not null, resource text not null, payload bytea not null,
  create_time timestamptz not null, primary key (district, seq)
);
create table idempotency (
  district integer not null, subject text not null, request_id uuid not null, method text not null,
  fingerprint bytea not null, response bytea not null, create_time timestamptz not null,
  primary key (district, subject, request_id)
);
create index idempotency_create_time on idempotency (district, create_time);

create table thing (
  district integer not null,
  code text not null,
  above text,
  amount integer not null constraint thing_amount_positive check (amount > 0),
  primary key (district, code),
  constraint thing_above foreign key (district, above) references thing (district, code)
);
