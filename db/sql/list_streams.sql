-- Of the newest $5 streams of a ledger with id < $3 those of the statuses $2, newest first, at most
-- $4; and the last one of them, shown or not, so that the next page can begin behind it. A range
-- of the primary key.
SELECT s.id, s.ledger_id, s.sender, f.address, s.recipient, o.address, s.total, s.duration_s,
    s.label, s.metadata, s.status, s.released, s.refunded, s.started_at, s.ends_at, s.paused_at,
    s.ended_at, s.settled_at, s.updated_at,
    s.status = ANY ($2), s.place = $5
FROM (
    SELECT r.*, row_number() OVER (ORDER BY r.id DESC) AS place FROM streams r
    WHERE r.ledger_id = $1 AND r.id < $3
    ORDER BY r.id DESC LIMIT $5
) s
JOIN accounts f ON f.id = s.sender
JOIN accounts o ON o.id = s.recipient
WHERE s.status = ANY ($2) OR s.place = $5
ORDER BY s.id DESC LIMIT $4
