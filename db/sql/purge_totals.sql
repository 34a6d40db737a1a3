-- The totals of a deleted ledger: a handful. Primary key.
DELETE FROM ledger_totals WHERE ledger_id = $1
