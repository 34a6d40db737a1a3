-- One hold. Primary key; the ledger is compared afterwards, or an empty table's plan goes by it.
SELECT h.id, h.ledger_id, h.from_account, f.address, h.to_account, o.address,
    h.amount, h.expires_at, h.status, h.ended_at, h.captured_amount, h.transfer
FROM (SELECT * FROM holds r WHERE r.id = $2 LIMIT 1) h
JOIN accounts f ON f.id = h.from_account
JOIN accounts o ON o.id = h.to_account
WHERE h.ledger_id = $1
