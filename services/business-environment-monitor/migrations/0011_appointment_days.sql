-- Appointments whose day comes: that begin, and that end.
create index appointment_begin on appointment (district, first_date) where state = 'APPROVED' and first_date is not null;
create index appointment_end on appointment (district, last_date) where state in ('ACTIVE', 'SUSPENDED');
