-- Lots as they follow from the history, whatever stands there. One that can expire stays closed or
-- open as it is: close_recorded_lots says which. Primary key.
INSERT INTO credit_lots AS l (operation_id, account_id, amount, amount_remaining, expires_at, index,
    is_open)
SELECT u.operation_id, u.account_id, u.amount, u.amount_remaining, u.expires_at, u.index,
    u.amount_remaining > 0
FROM unnest($1, $2, $3, $4, $5, $6)
    u (operation_id, account_id, amount, amount_remaining, expires_at, index)
ON CONFLICT (operation_id, index) DO UPDATE
SET account_id = excluded.account_id, amount = excluded.amount,
    amount_remaining = excluded.amount_remaining, expires_at = excluded.expires_at,
    is_open = excluded.is_open AND (l.is_open OR excluded.expires_at IS NULL)
