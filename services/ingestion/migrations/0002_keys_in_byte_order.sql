-- The keys of a file's payments are read as a range, from MsgId/ to MsgId0: that holds in byte order alone.
ALTER TABLE payments ALTER COLUMN idempotency_key TYPE text COLLATE "C";
