-- Are the running totals what the transfers of each kind add up to, and those of purchases (100)
-- what the prices do? Full scan.
WITH counted AS (
    SELECT kind, count(*) AS count, sum(amount) AS amount
    FROM transfers WHERE ledger_id = $1::uuid GROUP BY kind
    UNION ALL
    SELECT 100, count(*), sum(price) FROM purchases WHERE ledger_id = $1::uuid
    HAVING count(*) > 0
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
            || coalesce(total_count, 0) || ' and ' || coalesce(total_amount, 0) || ', transfers '
            || coalesce(count, 0) || ' and ' || coalesce(amount, 0)) FROM bad HAVING count(*) > 0),
        (SELECT count(*) || ' kinds' FROM counted))
