-- One stream of a ledger, unless it is a draft that was deleted (6). Primary key.
SELECT s.id, s.ledger_id, s.sender, f.address, s.recipient, o.address, s.total, s.duration_s,
    s.label, s.metadata, s.status, s.released, s.refunded, s.started_at, s.ends_at, s.paused_at,
    s.ended_at, s.settled_at, s.updated_at
FROM streams s
JOIN accounts f ON f.id = s.sender
JOIN accounts o ON o.id = s.recipient
WHERE s.ledger_id = $1 AND s.id = $2 AND s.status <> 6
