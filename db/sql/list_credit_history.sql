-- A page of a ledger's history, newest first: operations of the kinds $2, past the cursor
-- ($3, $4), not before $5 and before $6 (ids). Ranges of the operations' primary key, then of
-- each one's entries.
SELECT o.ledger_id, o.id, e.index, o.kind, o.reference, e.account_id, a.address, e.amount,
    coalesce(e.shortfall, 0), e.expires_at
FROM credit_operations o
JOIN credit_entries e ON e.operation_id = o.id
JOIN accounts a ON a.id = e.account_id
WHERE o.ledger_id = $1 AND o.kind = ANY ($2)
    AND o.id <= $3 AND (o.id < $3 OR e.index < $4) AND o.id >= $5 AND o.id < $6
ORDER BY o.id DESC, e.index DESC LIMIT $7
