-- The newest late events (alarm 1 amber, 2 red, 3 critical) are one range, however many are in time or closed.
create index event_late on event (district, report_time, id) where alarm > 0;
