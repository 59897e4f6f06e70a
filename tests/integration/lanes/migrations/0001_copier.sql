CREATE TABLE handled (lane integer NOT NULL, source_offset bigint NOT NULL, key text NOT NULL, number bigint NOT NULL);
COMMENT ON TABLE handled IS 'Written by the copier of the tests.';
