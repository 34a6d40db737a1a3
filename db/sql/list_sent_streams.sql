-- The same of the streams that the account $6 pays, if to the account $7 where that is given.
-- accounts_by_address, then a range of streams_by_sender.
SELECT s.id, s.ledger_id, s.sender, f.address, s.recipient, o.address, s.total, s.duration_s,
    s.label, s.metadata, s.status, s.released, s.refunded, s.started_at, s.ends_at, s.paused_at,
    s.ended_at, s.settled_at, s.updated_at,
    s.status = ANY ($2) AND ($7 IS NULL OR o.address = $7), s.place = $5
FROM (
    SELECT r.*, row_number() OVER (ORDER BY r.id DESC) AS place FROM streams r
    WHERE r.sender = (SELECT a.id FROM accounts a WHERE a.ledger_id = $1 AND a.address = $6)
        AND r.id < $3
    ORDER BY r.id DESC LIMIT $5
) s
JOIN accounts f ON f.id = s.sender
JOIN accounts o ON o.id = s.recipient
WHERE (s.status = ANY ($2) AND ($7 IS NULL OR o.address = $7)) OR s.place = $5
ORDER BY s.id DESC LIMIT $4
