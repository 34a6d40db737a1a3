-- Keys past their retention that this batch uses again. orders_by_key.
UPDATE orders SET idempotency_key = NULL, fingerprint = NULL WHERE idempotency_key = ANY ($1)
