-- The streams of a batch, locked in ascending order of ids, after the accounts and the products.
-- Primary key.
SELECT s.id, s.ledger_id, s.sender, f.address, s.recipient, o.address, s.total, s.duration_s,
    s.label, s.metadata, s.status, s.released, s.refunded, s.started_at, s.ends_at, s.paused_at,
    s.ended_at, s.settled_at, s.updated_at
FROM (SELECT unnest($1) AS ledger_id, unnest($2) AS id) k
JOIN streams s ON s.ledger_id = k.ledger_id AND s.id = k.id
JOIN accounts f ON f.id = s.sender
JOIN accounts o ON o.id = s.recipient
ORDER BY s.id FOR UPDATE OF s
