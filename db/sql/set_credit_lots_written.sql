-- The lots of a ledger are as far as its history, which ends with the operation $2. Primary key.
UPDATE credit_ledgers
SET last = greatest(last, $2), lots_last = greatest(last, $2)
WHERE ledger_id = $1
