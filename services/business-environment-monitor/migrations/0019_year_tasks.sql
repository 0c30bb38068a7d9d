-- The ten tasks of each year, which issues are tagged with by their places.
create table year_tasks (
  district integer not null,
  year integer not null,
  tasks text[] not null check (cardinality(tasks) = 10),
  version bigint not null,
  primary key (district, year)
);
