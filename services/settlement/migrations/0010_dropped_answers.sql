ALTER TABLE noted_reports DROP CONSTRAINT noted_reports_effect_check;
ALTER TABLE noted_reports ADD CONSTRAINT noted_reports_effect_check CHECK (
    effect IN ('posted', 'forwarded', 'repeat', 'awaits_statement', 'contradicted', 'dropped'));
COMMENT ON TABLE noted_reports IS 'Reports of bookings and statuses that no payment''s own key protects from being taken twice: contradictions, answers without our reference, and what was sent on to another lane. Written by the owner of the lane.';
