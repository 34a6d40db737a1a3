-- Are the lots of a ledger written as far as its history goes? One row, and the newest operation.
WITH newest AS (
    SELECT id FROM credit_operations WHERE ledger_id = $1::uuid ORDER BY id DESC LIMIT 1
)
SELECT coalesce(c.lots_last >= c.last AND c.lots_last >= coalesce(n.id, c.lots_last), false),
    'lots as of ' || coalesce(c.lots_last::text, 'nothing') || ', history as of '
        || coalesce(greatest(c.last, n.id)::text, 'nothing')
FROM (SELECT 1) one
LEFT JOIN credit_ledgers c ON c.ledger_id = $1::uuid
LEFT JOIN newest n ON true
