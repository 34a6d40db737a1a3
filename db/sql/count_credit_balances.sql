-- How many addresses have at least $3 at $2. accounts_by_address, and a range of credit_lots_open
-- for each.
SELECT count(*)
FROM accounts a
LEFT JOIN LATERAL (
    SELECT sum(l.amount_remaining)::int8 AS balance
    FROM credit_lots l
    WHERE a.balance > 0 AND l.account_id = a.id AND l.is_open
        AND (l.expires_at IS NULL OR l.expires_at > $2)
) n ON true
WHERE a.ledger_id = $1 AND (a.balance >= $3 AND coalesce(n.balance, 0) >= $3)
