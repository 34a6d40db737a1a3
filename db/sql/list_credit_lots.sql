-- The lots that these operations made. Ranges of the primary key.
SELECT a.ledger_id, l.account_id, a.address, l.operation_id, l.index, l.amount,
    l.amount_remaining, l.expires_at, l.is_open
FROM unnest($1) k (id)
JOIN credit_lots l ON l.operation_id = k.id
JOIN accounts a ON a.id = l.account_id
ORDER BY l.operation_id, l.index
