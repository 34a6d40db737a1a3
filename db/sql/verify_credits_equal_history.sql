-- Is what is booked on each address of credits what its history adds up to, and what is left of
-- all its lots, expired ones included? Is every version counted? Full scan.
WITH history AS (
    SELECT e.account_id, sum(e.amount) AS amount, count(*) AS count
    FROM credit_operations o JOIN credit_entries e ON e.operation_id = o.id
    WHERE o.ledger_id = $1::uuid GROUP BY e.account_id
), left_over AS (
    SELECT l.account_id, sum(l.amount_remaining) AS amount
    FROM credit_operations o JOIN credit_lots l ON l.operation_id = o.id
    WHERE o.ledger_id = $1::uuid GROUP BY l.account_id
), bad AS (
    SELECT a.address
    FROM accounts a
    LEFT JOIN history h ON h.account_id = a.id
    LEFT JOIN left_over l ON l.account_id = a.id
    WHERE a.ledger_id = $1::uuid
        AND (a.balance <> coalesce(h.amount, 0) OR a.balance <> coalesce(l.amount, 0)
            OR a.version <> coalesce(h.count, 0))
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' addresses differ; first ' || min(address) FROM bad
         HAVING count(*) > 0),
        (SELECT count(*) || ' addresses' FROM accounts WHERE ledger_id = $1::uuid))
