-- The answers that these idempotency keys were given, where no single transfer tells. Primary key.
SELECT a.idempotency_key, a.fingerprint, a.ledger_id, a.status, a.body, a.request_id, a.items,
    a.transfers, a.created_at
FROM unnest($1) k (key) JOIN answers a ON a.idempotency_key = k.key
