-- How far the batch has brought its credits ledgers, new ones among them. The lots are as far only
-- if they were so before it. Primary key.
INSERT INTO credit_ledgers AS c (ledger_id, last, lots_last)
SELECT u.id, u.last, u.last FROM unnest($1, $2) u (id, last)
ON CONFLICT (ledger_id) DO UPDATE
SET last = excluded.last,
    lots_last = CASE WHEN c.lots_last = c.last THEN excluded.last ELSE c.lots_last END
