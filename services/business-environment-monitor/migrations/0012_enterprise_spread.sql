-- How the register spreads over industries and streets: the report on a batch compares with it.
create index enterprise_spread on enterprise (district, industry, street) where not retired;
