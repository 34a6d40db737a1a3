-- A page of a ledger's history, newest first: operations of the kinds $2, past the cursor
-- ($3, $4), not before $5 and before $6 (ids). A range of credit_operations_by_kind for each kind,
-- then of each operation's entries.
SELECT n.*
FROM unnest($2) k (kind)
CROSS JOIN LATERAL (
    SELECT o.ledger_id, o.id, e.index, o.kind, o.reference, e.account_id, a.address, e.amount,
        coalesce(e.shortfall, 0), e.expires_at
    FROM credit_operations o
    JOIN credit_entries e ON e.operation_id = o.id
    JOIN accounts a ON a.id = e.account_id
    WHERE o.ledger_id = $1 AND o.kind = k.kind
        AND o.id <= $3 AND (o.id < $3 OR e.index < $4) AND o.id >= $5 AND o.id < $6
    ORDER BY o.id DESC, e.index DESC LIMIT $7) n
ORDER BY n.id DESC, n.index DESC LIMIT $7
