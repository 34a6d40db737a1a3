-- The batch's new streams.
INSERT INTO streams (id, ledger_id, sender, recipient, total, duration_s, label, metadata, status,
    released, refunded, started_at, ends_at, paused_at, ended_at, settled_at, updated_at)
SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
