-- The row of a deleted ledger that has nothing left. Primary key.
DELETE FROM ledgers WHERE id = $1
