-- The entries of the operations $2 of a ledger, in request order. Primary keys.
SELECT o.ledger_id, o.id, e.index, o.kind, o.reference, e.account_id, a.address, e.amount,
    coalesce(e.shortfall, 0), e.expires_at
FROM unnest($2) k (id)
JOIN credit_operations o ON o.ledger_id = $1 AND o.id = k.id
JOIN credit_entries e ON e.operation_id = o.id
JOIN accounts a ON a.id = e.account_id
ORDER BY o.id, e.index
