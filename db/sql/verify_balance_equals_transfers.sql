-- Is every account's balance the sum of its transfers, and is the balance after each transfer the
-- sum so far? Full scan, sorted by account and version.
WITH legs AS (
    SELECT from_account AS account, from_version AS version, from_balance AS balance,
        -amount AS change
    FROM transfers WHERE ledger_id = $1::uuid
    UNION ALL
    SELECT to_account, to_version, to_balance, amount
    FROM transfers WHERE ledger_id = $1::uuid
), running AS (
    SELECT account, version, change,
        balance <> sum(change) OVER (PARTITION BY account ORDER BY version) AS wrong
    FROM legs
), sums AS (
    SELECT account, sum(change) AS balance, count(*) FILTER (WHERE wrong) AS wrong,
        min(version) FILTER (WHERE wrong) AS first_wrong
    FROM running GROUP BY account
), bad AS (
    SELECT a.address, a.balance, coalesce(s.balance, 0) AS booked, s.first_wrong
    FROM accounts a LEFT JOIN sums s ON s.account = a.id
    WHERE a.ledger_id = $1::uuid AND (a.balance <> coalesce(s.balance, 0) OR s.wrong > 0)
    UNION ALL
    SELECT s.account::text, NULL, s.balance, s.first_wrong
    FROM sums s
    WHERE NOT EXISTS (
        SELECT 1 FROM accounts a WHERE a.id = s.account AND a.ledger_id = $1::uuid)
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' accounts differ; ' || min(address || ': balance '
            || coalesce(balance::text, 'none') || ', transfers ' || booked
            || coalesce(', first wrong version ' || first_wrong, '')) FROM bad HAVING count(*) > 0),
        (SELECT count(*) || ' transfers' FROM transfers WHERE ledger_id = $1::uuid))
