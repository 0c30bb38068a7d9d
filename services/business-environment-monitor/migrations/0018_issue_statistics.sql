-- Statistics of issues, kept by the statements that write issues: what happened on each day, and where all stand.

-- Each is a sum over transitions, see model::issue::tally.
create table issue_tally (
  district integer not null,
  day date not null,
  -- model::issue::tally::Measure, from 1
  measure smallint not null,
  -- The code of the department that handles; empty where none does, and for tags.
  department text collate "C" not null,
  -- As in the proto; 0 where none is given yet, and for tags.
  class smallint not null,
  -- 0 for every issue; 1 to 18 again for those that touch an indicator, 101 to 110 for those of a task of the year.
  tag smallint not null,
  count bigint not null,
  primary key (district, tag, day, measure, department, class)
);

create table issue_stock (
  district integer not null,
  department text collate "C" not null,
  -- As in the proto.
  state smallint not null,
  count bigint not null,
  primary key (district, department, state)
);

-- What was written before this migration stands somewhere, too.
insert into issue_stock (district, department, state, count)
select district, coalesce(department, ''), state, count(*) from issue group by 1, 2, 3;
