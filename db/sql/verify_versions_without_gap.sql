-- Do the versions of every account's transfers count 1, 2, 3, … up to the account's own, in the
-- order of time? Full scan, sorted by account and version.
WITH legs AS (
    SELECT from_account AS account, from_version AS version, created_at
    FROM transfers WHERE ledger_id = $1::uuid
    UNION ALL
    SELECT to_account, to_version, created_at FROM transfers WHERE ledger_id = $1::uuid
), ranked AS (
    SELECT account, version,
        version <> row_number() OVER w
            OR created_at < coalesce(lag(created_at) OVER w, created_at) AS wrong
    FROM legs WINDOW w AS (PARTITION BY account ORDER BY version)
), counts AS (
    SELECT account, count(*) AS version, min(version) FILTER (WHERE wrong) AS first_wrong
    FROM ranked GROUP BY account
), bad AS (
    SELECT a.address, a.version, coalesce(c.version, 0) AS booked, c.first_wrong
    FROM accounts a LEFT JOIN counts c ON c.account = a.id
    WHERE a.ledger_id = $1::uuid
        AND (a.version <> coalesce(c.version, 0) OR c.first_wrong IS NOT NULL)
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' accounts differ; ' || min(address || ': version ' || version
            || ', transfers ' || booked || coalesce(', first wrong version ' || first_wrong, ''))
         FROM bad HAVING count(*) > 0),
        (SELECT count(*) || ' entries' FROM legs))
