-- A statement may be larger than what the process that reads it should hold in memory.
CREATE TABLE statement_file_parts (
    lane      integer NOT NULL CHECK (lane = -1),
    file_name text NOT NULL,
    sha256    bytea NOT NULL,
    part      integer NOT NULL,
    content   bytea NOT NULL,
    PRIMARY KEY (file_name, sha256, part)
);
COMMENT ON TABLE statement_file_parts IS 'The bytes of statement files, in order: what was begun is finished from here, whatever the bank does with the file. Inserted with the file. Written by the statement reader.';
COMMENT ON COLUMN statement_files.content IS 'the bytes of a file that was found before it had parts of its own, else empty';
