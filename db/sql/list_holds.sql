-- A page of a ledger's holds, newest first, with id < $3: the newest of each status ($2), a range
-- of holds_by_status each, merged.
SELECT h.id, h.ledger_id, h.from_account, f.address, h.to_account, o.address,
    h.amount, h.expires_at, h.status, h.ended_at, h.captured_amount, h.transfer
FROM (
    SELECT n.*
    FROM unnest($2) k (status)
    CROSS JOIN LATERAL (
        SELECT * FROM holds r
        WHERE r.ledger_id = $1 AND r.status = k.status AND r.id < $3
        ORDER BY r.id DESC LIMIT $4
    ) n
    ORDER BY n.id DESC LIMIT $4
) h
JOIN accounts f ON f.id = h.from_account
JOIN accounts o ON o.id = h.to_account
ORDER BY h.id DESC
