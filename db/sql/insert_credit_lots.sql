-- The batch's new lots, as the batch left them.
INSERT INTO credit_lots (operation_id, account_id, amount, amount_remaining, expires_at, index,
    is_open)
SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
