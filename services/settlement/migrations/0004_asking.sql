ALTER TABLE bank_files
    ADD COLUMN asked_at timestamptz,
    ADD COLUMN asked_to uuid,
    ADD COLUMN answered_at timestamptz;
CREATE INDEX bank_files_unanswered ON bank_files (submitted_at)
    WHERE submitted_at IS NOT NULL AND refused_at IS NULL AND answered_at IS NULL;
COMMENT ON COLUMN bank_files.asked_at IS 'When the bank was last asked for all of its payments that were open and silent.';
COMMENT ON COLUMN bank_files.asked_to IS 'The last payment asked for in the round that is under way; null between rounds.';
COMMENT ON COLUMN bank_files.answered_at IS 'None of its payments was open any more: the bank is asked for nothing of it again.';
CREATE INDEX bank_messages_statements ON bank_messages (finished_at) WHERE kind = 'camt.053';
