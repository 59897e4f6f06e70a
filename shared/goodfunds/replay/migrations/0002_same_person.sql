-- A client's name in other letters is the same person's.
ALTER TABLE replay_plans
    DROP CONSTRAINT four_eyes,
    ADD CONSTRAINT four_eyes CHECK (lower(approved_by) <> lower(planned_by));
