-- What an address ($1, $2) has at $3, in the order of granting, with the references that granted
-- it. accounts_by_address, a range of credit_lots_open, the operations' primary key.
SELECT a.ledger_id, l.account_id, a.address, l.operation_id, l.index, l.amount,
    l.amount_remaining, l.expires_at, l.is_open, o.reference
FROM accounts a
JOIN credit_lots l ON l.account_id = a.id
JOIN credit_operations o ON o.ledger_id = a.ledger_id AND o.id = l.operation_id
WHERE a.ledger_id = $1 AND a.address = $2
    AND l.is_open AND (l.expires_at IS NULL OR l.expires_at > $3)
ORDER BY l.operation_id, l.index
