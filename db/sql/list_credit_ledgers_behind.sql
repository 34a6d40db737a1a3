-- Ledgers of credits whose lots are behind their history, at most $1 past the ledger $2: one look
-- at the newest operation of each. Primary keys.
SELECT l.id, l.name, g.name
FROM ledgers l
JOIN organizations g ON g.id = l.organization_id
LEFT JOIN credit_ledgers c ON c.ledger_id = l.id
LEFT JOIN LATERAL (
    SELECT o.id FROM credit_operations o WHERE o.ledger_id = l.id ORDER BY o.id DESC LIMIT 1
) newest ON true
WHERE l.kind = 1 AND l.deleted_at IS NULL AND l.id > $2
    AND (c.ledger_id IS NULL OR c.lots_last < c.last OR c.lots_last < newest.id)
ORDER BY l.id LIMIT $1
