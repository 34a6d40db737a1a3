-- Once per stream and batch, however many actions there were on it. Primary key; the rows are
-- locked and no indexed column changes, so no index is touched.
UPDATE streams s
SET status = u.status, released = u.released, refunded = u.refunded, started_at = u.started_at,
    ends_at = u.ends_at, paused_at = u.paused_at, ended_at = u.ended_at,
    settled_at = u.settled_at, updated_at = u.updated_at
FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) u (ledger_id, id, status, released,
    refunded, started_at, ends_at, paused_at, ended_at, settled_at, updated_at)
WHERE s.ledger_id = u.ledger_id AND s.id = u.id
