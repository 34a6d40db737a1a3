-- How far a hot ledger is, for whoever only looks. Primary key.
SELECT h.ledger_id, h.epoch, h.drained FROM hot_ledgers h WHERE h.ledger_id = $1
