-- name: bank
SELECT business_day, seed, settings_faults, next_transfer, next_entry FROM bank

-- name: found_bank
INSERT INTO bank (one, business_day, seed, settings_faults, next_transfer, next_entry)
VALUES (1, ?, ?, '', 1, 1) ON CONFLICT DO NOTHING

-- name: keep_bank
UPDATE bank SET business_day = ?, next_transfer = ?, next_entry = ?

-- name: keep_settings_faults
UPDATE bank SET settings_faults = ?

-- name: keep_seed
UPDATE bank SET seed = ?

-- name: fault_settings
SELECT kind, setting, committed FROM fault_settings

-- name: clear_fault_settings
DELETE FROM fault_settings

-- name: set_fault
INSERT INTO fault_settings (kind, setting, committed) VALUES (?, ?, 0)

-- name: count_fault
UPDATE fault_settings SET committed = ? WHERE kind = ?

-- name: plant_fault
INSERT INTO faults (kind, subject, detail, payment, day) VALUES (?, ?, ?, ?, ?)

-- name: fault_planted
SELECT 1 FROM faults WHERE kind = ? AND subject = ? LIMIT 1
