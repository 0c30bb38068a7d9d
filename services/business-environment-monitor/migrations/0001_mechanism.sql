-- What every service has: the change feed and the answers to repeated calls (see jingwei_kit::outbox, jingwei_kit::idempotency).

-- The last sequence number given out in a district. Its row lock makes the order of numbers the order of commits.
create table feed_head (
  district integer primary key,
  seq bigint not null
);

-- Changes in the order of their commits; payload is an encoded message of the service.
create table outbox (
  district integer not null,
  seq bigint not null,
  resource text not null,
  payload bytea not null,
  create_time timestamptz not null,
  primary key (district, seq)
);

-- The first answer to each request_id.
create table idempotency (
  district integer not null,
  subject text not null,
  request_id uuid not null,
  method text not null,
  fingerprint bytea not null,
  response bytea not null,
  create_time timestamptz not null,
  primary key (district, subject, request_id)
);
create index idempotency_create_time on idempotency (district, create_time);
