-- Adds to the running totals. The amount comes in two parts (billions and rest), for it may exceed
-- 64 bits. In ascending order: other batches add to the same rows. Primary key.
INSERT INTO ledger_totals AS t (ledger_id, kind, count, amount)
SELECT u.ledger_id, u.kind, sum(u.count)::int8, sum(u.high * 1000000000::numeric + u.low)
FROM unnest($1, $2, $3, $4, $5) u (ledger_id, kind, count, high, low)
GROUP BY u.ledger_id, u.kind
ORDER BY u.ledger_id, u.kind
ON CONFLICT (ledger_id, kind)
DO UPDATE SET count = t.count + excluded.count, amount = t.amount + excluded.amount
