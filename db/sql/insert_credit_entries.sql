-- The batch's rows of history.
INSERT INTO credit_entries (operation_id, account_id, amount, index, shortfall, expires_at)
SELECT * FROM unnest($1, $2, $3, $4, $5, $6)
