-- The batch's holds, all pending.
INSERT INTO holds (id, ledger_id, from_account, to_account, amount, expires_at, status)
SELECT u.*, 0 FROM unnest($1, $2, $3, $4, $5, $6) u
