-- How far a deleted ledger's credits were. Primary key.
DELETE FROM credit_ledgers WHERE ledger_id = $1
