-- Of the first $6 addresses in byte order past $2 those with at least $4 at $3, at most $5; and the
-- last one of them, shown or not, so that the next page can begin behind it. What it looks at is
-- bounded by $6, however many there are that have less. accounts_by_address, and a range of
-- credit_lots_open for each. Who has less booked has no more that is valid, and costs no look at
-- the lots.
SELECT s.address, s.has, s.has >= $4, s.place = $6
FROM (
    SELECT a.address, a.place, coalesce(n.balance, 0) AS has
    FROM (
        SELECT r.id, r.address, r.balance, row_number() OVER (ORDER BY r.address) AS place
        FROM accounts r
        WHERE r.ledger_id = $1 AND r.address > $2
        ORDER BY r.address LIMIT $6
    ) a
    LEFT JOIN LATERAL (
        SELECT sum(l.amount_remaining)::int8 AS balance
        FROM credit_lots l
        WHERE a.balance > 0 AND a.balance >= $4 AND l.account_id = a.id AND l.is_open
            AND (l.expires_at IS NULL OR l.expires_at > $3)
    ) n ON true
) s
WHERE s.has >= $4 OR s.place = $6
ORDER BY s.address LIMIT $5
