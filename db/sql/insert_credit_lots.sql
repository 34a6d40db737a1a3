-- The batch's new lots, as the batch left them.
INSERT INTO credit_lots (operation_id, account_id, amount, amount_remaining, expires_at, index,
    is_open)
SELECT unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), unnest($6), unnest($7)
