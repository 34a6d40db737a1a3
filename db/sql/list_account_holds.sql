-- A page of the holds on either side of the account $2, newest first, with id < $4: the newest of
-- each status ($3) and side, merged. accounts_by_address, then ranges of holds_by_from and
-- holds_by_to. No hold is on both sides.
SELECT h.id, h.ledger_id, h.from_account, f.address, h.to_account, o.address,
    h.amount, h.expires_at, h.status, h.ended_at, h.captured_amount, h.transfer
FROM (
    SELECT n.*
    FROM accounts a
    CROSS JOIN unnest($3) k (status)
    CROSS JOIN LATERAL (
        (SELECT * FROM holds r
         WHERE r.from_account = a.id AND r.status = k.status AND r.id < $4
         ORDER BY r.id DESC LIMIT $5)
        UNION ALL
        (SELECT * FROM holds r
         WHERE r.to_account = a.id AND r.status = k.status AND r.id < $4
         ORDER BY r.id DESC LIMIT $5)
    ) n
    WHERE a.ledger_id = $1 AND a.address = $2
    ORDER BY n.id DESC LIMIT $5
) h
JOIN accounts f ON f.id = h.from_account
JOIN accounts o ON o.id = h.to_account
ORDER BY h.id DESC
