-- Keys past their retention that this batch uses again. purchases_by_key.
UPDATE purchases SET idempotency_key = NULL, fingerprint = NULL WHERE idempotency_key = ANY ($1)
