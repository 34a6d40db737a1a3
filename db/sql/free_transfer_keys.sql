-- Keys past their retention that this batch uses again. transfers_by_key.
UPDATE transfers SET idempotency_key = NULL, fingerprint = NULL WHERE idempotency_key = ANY ($1)
