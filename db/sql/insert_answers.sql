-- Answers that are a body and nothing else.
INSERT INTO answers (idempotency_key, fingerprint, ledger_id, status, body, request_id, created_at,
    items, transfers)
SELECT u.*, '{}', '{}' FROM unnest($1, $2, $3, $4, $5, $6, $7) u
