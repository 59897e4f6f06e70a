CREATE TABLE forwarded_records (
    topic         text NOT NULL,
    lane          integer NOT NULL,
    source_offset bigint NOT NULL,
    to_lane       integer NOT NULL,
    forwarded_at  timestamptz NOT NULL,
    PRIMARY KEY (topic, lane, source_offset)
);
COMMENT ON TABLE forwarded_records IS 'Records on the clients'' topic that lay on another lane than their account''s, and were sent on to it: handled again, they are not sent on again. Written by the owner of the lane that they lay on.';
