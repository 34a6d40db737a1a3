-- The batch's rows of history. Side by side in the select list, as in insert_transfers.
INSERT INTO credit_entries (operation_id, account_id, amount, index, shortfall, expires_at)
SELECT unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), unnest($6)
