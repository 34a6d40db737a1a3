-- The batch's transfers, in the order of their ids. The arrays are unnested side by side in the
-- select list, here as in other statements with many rows: in FROM each of them would be written
-- to a store of its own first, which costs more than the row's heap tuple.
INSERT INTO transfers (id, ledger_id, kind, from_account, to_account, amount, from_balance,
    from_version, to_balance, to_version, created_at, reference, metadata, reverts,
    idempotency_key, fingerprint, cause)
SELECT unnest($1), unnest($2), unnest($3), unnest($4), unnest($5), unnest($6), unnest($7),
    unnest($8), unnest($9), unnest($10), unnest($11), unnest($12), unnest($13), unnest($14),
    unnest($15), unnest($16), unnest($17)
