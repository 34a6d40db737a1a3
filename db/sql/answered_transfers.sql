-- The transfers of the bulk answers among these keys, in the order of the answer. One lookup in
-- the primary key per kind ($2) and transfer.
SELECT t.id, t.ledger_id, t.kind,
    t.from_account, f.address, t.from_balance, t.from_version,
    t.to_account, o.address, t.to_balance, t.to_version,
    t.amount, t.reference, t.metadata, t.reverts, t.idempotency_key, t.fingerprint, t.cause,
    a.idempotency_key
FROM unnest($1) k (key)
JOIN answers a ON a.idempotency_key = k.key
CROSS JOIN LATERAL unnest(a.transfers) WITH ORDINALITY i (id, place)
CROSS JOIN unnest($2) n (kind)
CROSS JOIN LATERAL (
    SELECT * FROM transfers r
    WHERE r.ledger_id = a.ledger_id AND r.kind = n.kind AND r.id = i.id
    LIMIT 1  -- or an empty table's plan walks the whole ledger for every answer
) t
JOIN accounts f ON f.id = t.from_account
JOIN accounts o ON o.id = t.to_account
ORDER BY a.idempotency_key, i.place
