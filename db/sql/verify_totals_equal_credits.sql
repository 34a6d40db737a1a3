-- Are the running totals what the entries of each kind add up to (101 granted, 102 spent, 103
-- transferred, without the senders' own rows), and those of expired lots (104) what their events
-- say? Full scan.
WITH counted AS (
    SELECT 100 + o.kind AS kind, count(*) AS count, sum(abs(e.amount)) AS amount
    FROM credit_operations o JOIN credit_entries e ON e.operation_id = o.id
    WHERE o.ledger_id = $1::uuid AND (o.kind <> 3 OR e.amount > 0) GROUP BY o.kind
    UNION ALL
    SELECT 104, count(*), sum(amount) FROM events
    WHERE scope_id = $1::uuid AND type = 7 HAVING count(*) > 0
), bad AS (
    SELECT kind, t.count AS total_count, t.amount AS total_amount, c.count, c.amount
    FROM (SELECT * FROM ledger_totals WHERE ledger_id = $1::uuid) t
    FULL JOIN counted c USING (kind)
    WHERE coalesce(t.count, 0) <> coalesce(c.count, 0)
        OR coalesce(t.amount, 0) <> coalesce(c.amount, 0)
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' totals differ; ' || min('kind ' || kind || ': total '
            || coalesce(total_count, 0) || ' and ' || coalesce(total_amount, 0) || ', history '
            || coalesce(count, 0) || ' and ' || coalesce(amount, 0)) FROM bad HAVING count(*) > 0),
        (SELECT count(*) || ' kinds' FROM counted))
