-- A foreign key locks the row that it refers to with each insert: writers of one category and area queued for them, though
-- neither is ever deleted. What is never deleted says so itself, and the statement that writes an event reads both before.
-- The event of a transition is written by the statement that writes the transition.
alter table event drop constraint event_category, drop constraint event_area;
alter table event_transition drop constraint event_transition_district_event_id_fkey;

create function refuse_removal() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % stay, and keep their keys', tg_table_name using errcode = 'restrict_violation';
end
$$;
create trigger category_stays before delete or update of district, code on category
  for each row execute function refuse_removal();
create trigger area_version_stays before delete or update of district, code, version on area_version
  for each row execute function refuse_removal();
create trigger event_stays before delete or update of district, id on event
  for each row execute function refuse_removal();
