-- Is what every account has reserved the sum of its pending holds? Full scan.
WITH open AS (
    SELECT from_account AS account, sum(amount) AS held, count(*) AS count
    FROM holds WHERE ledger_id = $1::uuid AND status = 0 GROUP BY from_account
), bad AS (
    SELECT coalesce(a.address, o.account::text) AS address, a.held, coalesce(o.held, 0) AS open
    FROM (SELECT * FROM accounts WHERE ledger_id = $1::uuid) a
    FULL JOIN open o ON o.account = a.id
    WHERE a.id IS NULL OR a.held <> coalesce(o.held, 0)
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' accounts differ; ' || min(address || ': held '
            || coalesce(held::text, 'none') || ', open holds ' || open) FROM bad
         HAVING count(*) > 0),
        (SELECT coalesce(sum(count), 0) || ' open holds' FROM open))
