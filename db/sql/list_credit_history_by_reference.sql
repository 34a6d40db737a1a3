-- The same of the one operation with the reference $7, if it is of the kinds $2.
-- credit_operations_by_reference, then a range of its entries.
SELECT o.ledger_id, o.id, e.index, o.kind, o.reference, e.account_id, a.address, e.amount,
    coalesce(e.shortfall, 0), e.expires_at
FROM credit_operations o
JOIN credit_entries e ON e.operation_id = o.id
JOIN accounts a ON a.id = e.account_id
WHERE o.ledger_id = $1 AND o.reference = $7 AND o.kind = ANY ($2)
    AND o.id <= $3 AND (o.id < $3 OR e.index < $4) AND o.id >= $5 AND o.id < $6
    AND ($8 IS NULL OR a.address = $8)
ORDER BY e.index DESC LIMIT $9
