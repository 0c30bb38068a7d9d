-- Files: uploads and their chunks, what their content is, the attachments that they become, and who refers to these.
-- The bytes are in the object store; here is what they are.

-- Content that exists or is being written. `doomed` is set before the object is removed: whoever has the same content at
-- that moment comes again. `claim_time` is when somebody was last about to refer to it.
create table content (
  district integer not null,
  sha256 bytea not null check (length(sha256) = 32),
  claim_time timestamptz not null,
  doomed boolean not null default false,
  -- Whether somebody has to look if anything refers to it: not for what is in use, however much that is.
  loose boolean not null default true,
  primary key (district, sha256)
);
create index content_loose on content (district, claim_time) where loose;

create table upload (
  district integer not null,
  id uuid not null,
  -- The subject of who uploads; null where a resident does without a token, who then holds the secret.
  uploader text,
  secret_hash bytea,
  file_name text not null,
  size_bytes bigint not null check (size_bytes > 0),
  -- What the content as it was sent must hash to; null where not said.
  wanted_sha256 bytea,
  purpose smallint not null,
  received_bytes bigint not null default 0,
  chunks integer not null default 0,
  -- Set once it is finished: the content as it is stored.
  sha256 bytea,
  stored_bytes bigint,
  content_type text,
  -- model::upload::Refusal, once its content was refused.
  refusal jsonb,
  create_time timestamptz not null,
  -- When its last chunk came, or it was finished or refused.
  change_time timestamptz not null,
  primary key (district, id),
  check (received_bytes between 0 and size_bytes),
  check ((uploader is null) = (secret_hash is not null)),
  check ((sha256 is null) = (stored_bytes is null) and (sha256 is null) = (content_type is null)),
  check (sha256 is null or refusal is null)
);
create index upload_unfinished on upload (district, change_time) where sha256 is null;
create index upload_finished on upload (district, change_time) where sha256 is not null;
create index upload_content on upload (district, sha256) where sha256 is not null;
-- Uploads without a token that are not finished are few: more are refused.
create index upload_public on upload (district, create_time) where uploader is null and sha256 is null and refusal is null;

-- Chunks in the object store, under a name of their own each: of two that begin at the same offset one is kept.
create table upload_chunk (
  district integer not null,
  upload_id uuid not null,
  start bigint not null,
  object uuid not null,
  primary key (district, upload_id, start),
  foreign key (district, upload_id) references upload on delete cascade
);

create table attachment (
  district integer not null,
  id uuid not null,
  uploader text,
  file_name text not null,
  content_type text not null,
  size_bytes bigint not null,
  sha256 bytea not null,
  create_time timestamptz not null,
  -- Whether attachment_link has it: one that nothing refers to is forgotten after a while.
  linked boolean not null default false,
  primary key (district, id),
  constraint attachment_content foreign key (district, sha256) references content
);
create index attachment_content on attachment (district, sha256);
create index attachment_unused on attachment (district, create_time) where not linked;

-- Which resources refer to an attachment: who may read one of them may download it.
create table attachment_link (
  district integer not null,
  attachment_id uuid not null,
  resource text collate "C" not null,
  primary key (district, attachment_id, resource),
  constraint attachment_link_attachment foreign key (district, attachment_id) references attachment
);
