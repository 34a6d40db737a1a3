-- Keys past their retention that this batch uses again. Primary key.
DELETE FROM answers WHERE idempotency_key = ANY ($1)
