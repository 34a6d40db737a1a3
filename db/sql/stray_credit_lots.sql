-- Open lots of a ledger's addresses, or of the one account $2, that none of its operations made: at
-- most $3. A range of credit_lots_open for each account, the operations' primary key.
SELECT l.operation_id, l.index, l.account_id
FROM accounts a
JOIN credit_lots l ON l.account_id = a.id
WHERE a.ledger_id = $1 AND ($2 IS NULL OR a.id = $2) AND l.is_open
    AND NOT EXISTS (
        SELECT 1 FROM credit_operations o WHERE o.ledger_id = $1 AND o.id = l.operation_id)
LIMIT $3
