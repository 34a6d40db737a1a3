-- One answer to a bulk: codes and ids per item. Not a set: an array of arrays would have to be
-- rectangular.
INSERT INTO answers (idempotency_key, fingerprint, ledger_id, status, body, request_id, created_at,
    items, transfers)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
