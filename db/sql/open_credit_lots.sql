-- The open lots of a batch's addresses, read after the locks on those. accounts_by_address, then a
-- range of credit_lots_open for each: what is drained or over is not walked.
SELECT a.ledger_id, l.account_id, a.address, l.operation_id, l.index, l.amount,
    l.amount_remaining, l.expires_at, l.is_open
FROM (SELECT unnest($1) AS ledger_id, unnest($2) AS address) k
JOIN accounts a ON a.ledger_id = k.ledger_id AND a.address = k.address
JOIN credit_lots l ON l.account_id = a.id
WHERE l.is_open
