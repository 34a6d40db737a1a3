-- New accounts in their final standing. In order of addresses: two servers that create the same
-- ones collide at the first, not in a circle.
INSERT INTO accounts (id, ledger_id, address, overdraft_limit, metadata, created_at, balance, held,
    fraction, version, updated_at)
SELECT u.*
FROM (SELECT unnest($1), unnest($2) AS ledger_id, unnest($3) AS address, unnest($4), unnest($5),
    unnest($6), unnest($7), unnest($8), unnest($9), unnest($10), unnest($11)) u
ORDER BY u.ledger_id, u.address COLLATE "C"
