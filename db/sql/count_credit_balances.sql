-- How many addresses have at least $3 at $2: every address of the ledger is looked at, by an index
-- range of its accounts, and of each that has as much booked a range of credit_lots_open. With 0 no
-- lot is looked at.
SELECT count(*)
FROM accounts a
LEFT JOIN LATERAL (
    SELECT sum(l.amount_remaining)::int8 AS balance
    FROM credit_lots l
    WHERE $3 > 0 AND a.balance >= $3 AND l.account_id = a.id AND l.is_open
        AND (l.expires_at IS NULL OR l.expires_at > $2)
) n ON true
WHERE a.ledger_id = $1 AND (a.balance >= $3 AND coalesce(n.balance, 0) >= $3)
