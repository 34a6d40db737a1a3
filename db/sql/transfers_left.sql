-- Is there a transfer left of a deleted ledger? Primary key.
SELECT 1 WHERE EXISTS (SELECT 1 FROM transfers WHERE ledger_id = $1)
