-- A page of addresses in byte order, past $2, with what is valid at $3 in each; those with less
-- than $4 are passed over. accounts_by_address, and a range of credit_lots_open for each. Who has
-- nothing booked has nothing valid, and costs no look at its lots.
SELECT a.address, coalesce(n.balance, 0)
FROM accounts a
LEFT JOIN LATERAL (
    SELECT sum(l.amount_remaining)::int8 AS balance
    FROM credit_lots l
    WHERE a.balance > 0 AND l.account_id = a.id AND l.is_open
        AND (l.expires_at IS NULL OR l.expires_at > $3)
) n ON true
WHERE a.ledger_id = $1 AND a.address > $2 AND (a.balance >= $4 AND coalesce(n.balance, 0) >= $4)
ORDER BY a.address LIMIT $5
