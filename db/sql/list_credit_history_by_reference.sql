-- The same of the one operation with the reference $7, if it is of the kinds $2.
-- credit_operations_by_reference, then a range of its entries. The operation is looked up first
-- and by itself: then the range comes in order, and of many thousands no more than a page is read.
SELECT o.ledger_id, o.id, e.index, o.kind, o.reference, e.account_id, a.address, e.amount,
    coalesce(e.shortfall, 0), e.expires_at
FROM credit_entries e
JOIN credit_operations o ON o.ledger_id = $1 AND o.id = e.operation_id
JOIN accounts a ON a.id = e.account_id
WHERE e.operation_id = (
        SELECT n.id FROM credit_operations n
        WHERE n.ledger_id = $1 AND n.reference = $7 AND n.kind = ANY ($2)
            AND n.id >= $5 AND n.id < $6
    )
    AND (e.operation_id, e.index) < ($3, $4)
ORDER BY e.index DESC LIMIT $8
