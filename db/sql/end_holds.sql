-- Captured, voided or expired, once; the account that is locked keeps others from it. Primary key.
UPDATE holds h
SET status = u.status, ended_at = u.ended_at, captured_amount = u.captured_amount,
    transfer = u.transfer
FROM unnest($1, $2, $3, $4, $5) u (id, status, ended_at, captured_amount, transfer)
WHERE h.id = u.id
