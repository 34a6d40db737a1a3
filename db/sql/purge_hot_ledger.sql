-- How far a deleted ledger had been brought home. Primary key.
DELETE FROM hot_ledgers WHERE ledger_id = $1
