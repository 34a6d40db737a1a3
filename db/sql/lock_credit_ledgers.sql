-- How far the credits ledgers of a batch are, locked in ascending order: first of all its rows, so
-- that who changes the same ledger elsewhere waits here and nowhere else. Primary key.
SELECT c.ledger_id, c.last
FROM unnest($1) k (id) JOIN credit_ledgers c ON c.ledger_id = k.id
ORDER BY c.ledger_id FOR UPDATE OF c
