-- How far a deleted ledger had been brought home. Primary key.
DELETE FROM hot_ledgers WHERE ledger_id = $1 AND $2::int8 > 0
