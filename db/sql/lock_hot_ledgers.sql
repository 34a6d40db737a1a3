-- How far the hot ledgers of a batch are, locked in ascending order after those of credits, so that
-- of two who bring the same journal home the second sees what the first did. Primary key.
SELECT h.ledger_id, h.epoch, h.drained
FROM unnest($1) k (id) JOIN hot_ledgers h ON h.ledger_id = k.id
ORDER BY h.ledger_id FOR UPDATE OF h
