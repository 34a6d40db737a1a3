-- A page of a ledger's history, newest first: operations of the kinds $2, past the cursor
-- ($3, $4), not before $5 and before $6 (ids). A range of credit_operations_by_kind for each kind,
-- cut by itself lest a plan that was made on empty tables sorts them all; each operation has an
-- entry at least, but for the one that the page before this one ended with. Then of each one's
-- entries, which may be many thousands, no more than a page.
SELECT o.ledger_id, o.id, e.index, o.kind, o.reference, e.account_id, a.address, e.amount,
    coalesce(e.shortfall, 0), e.expires_at
FROM unnest($2) k (kind)
CROSS JOIN LATERAL (
    SELECT n.ledger_id, n.id, n.kind, n.reference
    FROM credit_operations n
    WHERE n.ledger_id = $1 AND n.kind = k.kind AND n.id <= $3 AND n.id >= $5 AND n.id < $6
    ORDER BY n.id DESC LIMIT $7 + 1
) o
CROSS JOIN LATERAL (
    SELECT n.index, n.account_id, n.amount, n.shortfall, n.expires_at FROM credit_entries n
    WHERE n.operation_id = o.id AND n.index < CASE WHEN o.id = $3 THEN $4 ELSE 2147483647 END
    ORDER BY n.index DESC LIMIT $7
) e
JOIN accounts a ON a.id = e.account_id
ORDER BY o.id DESC, e.index DESC LIMIT $7
