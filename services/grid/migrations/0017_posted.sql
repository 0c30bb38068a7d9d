-- How many people of a role are posted now, by area.
create index posting_active_role on posting (district, role, area) where end_time is null;
