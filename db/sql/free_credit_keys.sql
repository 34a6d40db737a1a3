-- Keys past their retention that this batch uses again. credit_operations_by_key.
UPDATE credit_operations SET idempotency_key = NULL, fingerprint = NULL
WHERE idempotency_key = ANY ($1)
