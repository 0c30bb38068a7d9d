-- Imports of ledgers: who a person without a sign-in subject is, and the change feed's entries of an import under way.

-- A person of an imported ledger is looked for by name and duty telephone.
create index staff_member_known on staff_member (district, display_name, duty_phone) where subject is null;

-- Entries of the change feed that wait for the end of the import's transaction, which moves them into the outbox: the feed's lock is
-- held for that move only, not for the whole import. Never seen by others, since they go in the transaction they came in.
create unlogged table import_feed (
  district integer not null,
  import_id uuid not null,
  place bigint not null,
  resource text not null,
  payload bytea not null,
  primary key (district, import_id, place)
);
