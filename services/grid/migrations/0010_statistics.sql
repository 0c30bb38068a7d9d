-- The numbers: what each transition adds to them, and the counters folded from that.

-- [{metric, day, amount, category, lead, level, minutes}]: see model::count. A day of its own, since a deadline
-- counts on the day it falls on; a lead of its own, since a deadline goes along with the work.
alter table event_transition add column contributions jsonb not null default '[]';
-- Read and written by the release before this one only; to be dropped, with event_count and count_head, by the next.
alter table event_transition alter column counts set default '{}';

-- What was counted until now goes on to count: on the day of the transition, for the level that accepted, without a lead.
update event_transition t
set contributions = coalesce((
  select jsonb_agg(jsonb_build_object('metric', abs(c.code), 'amount', sign(c.code)::integer, 'category', e.category,
    'day', to_char(t.create_time at time zone interval '8 hours', 'YYYY-MM-DD'),
    'level', case when c.code <> 1 then e.body->'accepted_depth' end))
  from unnest(t.counts) as c(code) join event e on e.district = t.district and e.id = t.event_id
  where abs(c.code) < 100), '[]')
where cardinality(t.counts) > 0;

-- Each contribution under every dimension that it has: 0 all, 1 lead, 2 main category, 3 sub-category, 4 level.
create view statistic_contribution as
select t.district, t.seq, t.area, d.dimension, d.member, c.day, c.metric, c.minutes, c.amount
from event_transition t
  cross join lateral jsonb_to_recordset(t.contributions) as c(
    metric integer, day date, amount integer, category text, lead text, level text, minutes integer)
  left join category k on k.district = t.district and k.code = c.category
  cross join lateral (values
    (0::smallint, ''), (1::smallint, c.lead), (2::smallint, k.parent), (3::smallint, c.category), (4::smallint, c.level))
    as d(dimension, member)
where d.member is not null;

-- What the transitions of a district after one sequence number and up to another add to the counters: for the area of
-- each event and those above it, for the day, the month and the year (span 1, 2, 3; by their first days). Summed in steps,
-- so that what is much alike is multiplied late. minutes is null but for times.
create function statistic_fold(of_district integer, after_seq bigint, upto_seq bigint)
returns table (area text, dimension smallint, member text, span smallint, day date, metric integer, minutes integer, count bigint)
language sql stable as $$
  with own as (
    select c.area, c.dimension, c.member, c.day, c.metric, c.minutes, sum(c.amount) as count
    from statistic_contribution c
    where c.district = of_district and c.seq > after_seq and c.seq <= upto_seq
    group by 1, 2, 3, 4, 5, 6),
  above as (
    select left(o.area, l.length) as area, o.dimension, o.member, o.day, o.metric, o.minutes, sum(o.count) as count
    from own o cross join (values (6), (9), (12), (15), (18)) as l(length)
    where length(o.area) >= l.length
    group by 1, 2, 3, 4, 5, 6)
  select a.area, a.dimension, a.member, s.span, s.day, a.metric, a.minutes, sum(a.count)::bigint
  from above a cross join lateral (values
    (1::smallint, a.day),
    (2::smallint, date_trunc('month', a.day::timestamp)::date),
    (3::smallint, date_trunc('year', a.day::timestamp)::date)) as s(span, day)
  group by 1, 2, 3, 4, 5, 6, 7
  having sum(a.count) <> 0
$$;

-- The fold of all transitions up to statistic_head.seq: how often, and how often with how many minutes.
create table statistic_count (
  district integer not null,
  dimension smallint not null,
  area text collate "C" not null,
  member text collate "C" not null,
  span smallint not null,
  day date not null,
  metric integer not null,
  count bigint not null,
  primary key (district, dimension, area, member, span, day, metric)
) with (fillfactor = 80);
create table statistic_minutes (
  district integer not null,
  dimension smallint not null,
  area text collate "C" not null,
  member text collate "C" not null,
  span smallint not null,
  day date not null,
  metric integer not null,
  minutes integer not null,
  count bigint not null,
  primary key (district, dimension, area, member, span, day, metric, minutes)
) with (fillfactor = 80);
create table statistic_head (
  district integer primary key,
  seq bigint not null
);
