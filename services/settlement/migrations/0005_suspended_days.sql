-- What is in suspense is held against the bank's statements of its day.
ALTER TABLE contradictions ADD COLUMN booking_date date;
COMMENT ON COLUMN contradictions.booking_date IS 'The day of the booking that went to suspense; null where no money moved.';
