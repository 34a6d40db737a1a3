-- What the answers of those operations said: the lots that a grant or a transfer made, what an
-- expense (kind 2) took for each entry. In request order. credit_operations_by_key, then ranges of
-- the lots' or entries' primary key.
SELECT o.idempotency_key, a.address, n.index, n.amount, n.shortfall, n.expires_at
FROM unnest($1) k (key)
JOIN credit_operations o ON o.idempotency_key = k.key
CROSS JOIN LATERAL (
    SELECT l.account_id, l.index, l.amount, 0::int8 AS shortfall, l.expires_at
    FROM credit_lots l WHERE o.kind <> 2 AND l.operation_id = o.id
    UNION ALL
    SELECT e.account_id, e.index, -e.amount, coalesce(e.shortfall, 0), NULL
    FROM credit_entries e WHERE o.kind = 2 AND e.operation_id = o.id
) n
JOIN accounts a ON a.id = n.account_id
ORDER BY o.id, n.index
