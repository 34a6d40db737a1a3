-- A page of a ledger's history, newest first: operations of the kinds $2, past the cursor
-- ($3, $4), not before $5 and before $6 (ids). A range of credit_operations_by_kind for each kind,
-- then of each operation's entries: of one with many thousands no more than a page.
SELECT p.ledger_id, p.id, p.index, p.kind, p.reference, p.account_id, a.address, p.amount,
    coalesce(p.shortfall, 0), p.expires_at
FROM unnest($2) k (kind)
CROSS JOIN LATERAL (
    SELECT o.ledger_id, o.id, e.index, o.kind, o.reference, e.account_id, e.amount, e.shortfall,
        e.expires_at
    FROM credit_operations o
    CROSS JOIN LATERAL (
        SELECT n.* FROM credit_entries n
        WHERE n.operation_id = o.id AND n.index < CASE WHEN o.id = $3 THEN $4 ELSE 2147483647 END
        ORDER BY n.index DESC LIMIT $7
    ) e
    WHERE o.ledger_id = $1 AND o.kind = k.kind AND o.id <= $3 AND o.id >= $5 AND o.id < $6
    ORDER BY o.id DESC, e.index DESC LIMIT $7
) p
JOIN accounts a ON a.id = p.account_id
ORDER BY p.id DESC, p.index DESC LIMIT $7
