-- A page of the transfers with a reference, newest first, with $4 <= id < $5: of the newest $8 rows
-- those of the kinds $3 and of the account $7 if there is one, and the last one of them, so that
-- the next page can begin behind it. Indexes transfers_by_reference, accounts_by_address.
SELECT t.id, t.ledger_id, t.kind,
    t.from_account, f.address, t.from_balance, t.from_version,
    t.to_account, o.address, t.to_balance, t.to_version,
    t.amount, t.reference, t.metadata, t.reverts, t.idempotency_key, t.fingerprint, t.cause,
    t.is_wanted, t.place = $8
FROM (
    SELECT s.*, row_number() OVER (ORDER BY s.id DESC) AS place,
        s.kind = ANY ($3) AND ($7 IS NULL OR s.from_account = a.id OR s.to_account = a.id) IS TRUE
            AS is_wanted
    FROM (
        SELECT * FROM transfers r
        WHERE r.ledger_id = $1 AND r.reference = $2 AND r.id >= $4 AND r.id < $5
        ORDER BY r.id DESC LIMIT $8
    ) s
    CROSS JOIN (
        SELECT (SELECT n.id FROM accounts n WHERE n.ledger_id = $1 AND n.address = $7) AS id
    ) a
) t
JOIN accounts f ON f.id = t.from_account
JOIN accounts o ON o.id = t.to_account
WHERE t.is_wanted OR t.place = $8
ORDER BY t.id DESC LIMIT $6
