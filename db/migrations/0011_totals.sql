-- The running totals of every ledger, counted anew from its history, while servers go on writing.
--
-- Whoever writes history adds to the totals in the same transaction. So in any one snapshot what
-- the totals lack is what they lack for ever, and adding exactly that is right whatever was
-- committed since: nobody is locked out for the time of the count. Only a row that was wrong is
-- written, and its writers wait from there to the end of this migration, which is the next thing.
-- A ledger that was deleted is left out: its history goes, in portions.

-- The additions below are made to the latest row, which is not that of the snapshot.
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;

WITH counted AS (
    SELECT ledger_id, kind, count(*) AS count, sum(amount) AS amount
    FROM transfers GROUP BY ledger_id, kind
    UNION ALL
    SELECT ledger_id, 100::int2, count(*), sum(price) FROM purchases GROUP BY ledger_id
    UNION ALL
    SELECT o.ledger_id, (100 + o.kind)::int2, count(*), sum(abs(e.amount))
    FROM credit_operations o JOIN credit_entries e ON e.operation_id = o.id
    WHERE o.kind <> 3 OR e.amount > 0 GROUP BY o.ledger_id, o.kind
    UNION ALL
    SELECT scope_id, 104::int2, count(*), sum(amount)
    FROM events WHERE type = 7 GROUP BY scope_id
), lacking AS (
    SELECT ledger_id, kind, coalesce(c.count, 0) - coalesce(t.count, 0) AS count,
        coalesce(c.amount, 0) - coalesce(t.amount, 0) AS amount
    FROM counted c FULL JOIN ledger_totals t USING (ledger_id, kind)
)
-- In ascending order, as servers add to them.
INSERT INTO ledger_totals AS t (ledger_id, kind, count, amount)
SELECT m.ledger_id, m.kind, m.count, m.amount
FROM lacking m JOIN ledgers l ON l.id = m.ledger_id
WHERE l.deleted_at IS NULL AND (m.count <> 0 OR m.amount <> 0)
ORDER BY m.ledger_id, m.kind
ON CONFLICT (ledger_id, kind)
DO UPDATE SET count = t.count + excluded.count, amount = t.amount + excluded.amount;

-- Totals of nothing.
DELETE FROM ledger_totals WHERE count = 0;
