-- The bank's books. Written by the bank's teller and its upload desk alone; amounts in minor units, dates ISO.
CREATE TABLE IF NOT EXISTS bank (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    business_day TEXT NOT NULL,
    seed INTEGER NOT NULL,
    settings_faults TEXT NOT NULL,  -- the faults that the settings named when they were last applied
    next_transfer INTEGER NOT NULL,
    next_entry INTEGER NOT NULL
) STRICT;

-- `held`: a customer of this bank, with statements. Others are where the money went. Balance = credits - debits.
CREATE TABLE IF NOT EXISTS accounts (
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    name TEXT NOT NULL,
    held INTEGER NOT NULL,
    opened_with INTEGER NOT NULL,
    balance_minor INTEGER NOT NULL,
    transfers INTEGER NOT NULL,
    statements INTEGER NOT NULL,
    stated_transfer INTEGER NOT NULL,  -- the last transfer that a statement has covered
    stated_minor INTEGER NOT NULL,     -- the last closing balance
    PRIMARY KEY (account, currency)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS files (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    archive_name TEXT NOT NULL UNIQUE,
    archived INTEGER NOT NULL DEFAULT 0,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    message_id TEXT NOT NULL,
    standing TEXT NOT NULL,
    message_name TEXT NOT NULL DEFAULT '',
    message_created_at TEXT NOT NULL DEFAULT '',
    group_status TEXT NOT NULL DEFAULT '',
    reason_code TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    transactions INTEGER NOT NULL DEFAULT 0,
    received_at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS files_by_message ON files (message_id);
CREATE UNIQUE INDEX IF NOT EXISTS files_one_stands ON files (message_id) WHERE standing = 'stands';
CREATE INDEX IF NOT EXISTS files_under_way ON files (id) WHERE archived = 0;

CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY,
    file INTEGER NOT NULL REFERENCES files,
    payment_information_id TEXT NOT NULL,
    instruction_id TEXT NOT NULL,
    end_to_end_id TEXT NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL,
    execution_date TEXT NOT NULL,
    debtor_account TEXT NOT NULL,
    creditor_account TEXT NOT NULL,
    creditor_agent TEXT NOT NULL,
    creditor_name TEXT NOT NULL,
    remittance TEXT NOT NULL,
    status TEXT NOT NULL,
    reason_code TEXT NOT NULL,
    reason TEXT NOT NULL,
    told_code TEXT NOT NULL,
    contradicted_later INTEGER NOT NULL,
    return_code TEXT NOT NULL,
    echoes_end_to_end_only INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS payments_by_instruction ON payments (instruction_id);
CREATE INDEX IF NOT EXISTS payments_by_file ON payments (file);
CREATE INDEX IF NOT EXISTS payments_warehoused ON payments (execution_date, id) WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS payments_to_return ON payments (id) WHERE return_code <> '' AND status = 'booked';

-- Every movement of money: one row, so it balances by shape. Transfers of one entry are one line.
CREATE TABLE IF NOT EXISTS transfers (
    id INTEGER PRIMARY KEY,
    entry INTEGER NOT NULL,
    payment INTEGER NOT NULL,
    kind TEXT NOT NULL,
    debit_account TEXT NOT NULL,
    credit_account TEXT NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    booked_on TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS transfers_by_payment ON transfers (payment);

-- A message that the bank owes or wrote. Its content follows from its columns and rows that never change,
-- so that one interrupted before it was written comes out the same afterwards.
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    message_id TEXT NOT NULL UNIQUE,
    content_of INTEGER NOT NULL,
    file INTEGER NOT NULL,
    group_status TEXT NOT NULL,
    reason_code TEXT NOT NULL,
    account TEXT NOT NULL,
    currency TEXT NOT NULL,
    booking TEXT NOT NULL,
    day TEXT NOT NULL,
    from_transfer INTEGER NOT NULL,
    to_transfer INTEGER NOT NULL,
    number INTEGER NOT NULL,
    opening_minor INTEGER NOT NULL,
    closing_minor INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'at_advance', 'written', 'lost')),
    due_at TEXT NOT NULL,
    sha256 TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX IF NOT EXISTS answers_owed ON answers (id) WHERE state IN ('due', 'at_advance');

-- Transactions that a pain.002 names, each with RJCT.
CREATE TABLE IF NOT EXISTS told (
    answer INTEGER NOT NULL,
    payment INTEGER NOT NULL,
    reason_code TEXT NOT NULL,
    PRIMARY KEY (answer, payment)
) STRICT, WITHOUT ROWID;

-- Lines that a camt.053 leaves out or states with another amount.
CREATE TABLE IF NOT EXISTS damaged_lines (
    answer INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    damage TEXT NOT NULL,
    PRIMARY KEY (answer, entry)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS fault_settings (
    kind TEXT PRIMARY KEY,
    setting TEXT NOT NULL,
    committed INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS faults (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    payment INTEGER NOT NULL,
    day TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS faults_by_subject ON faults (kind, subject);
