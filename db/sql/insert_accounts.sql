-- New accounts in their final standing. In order of addresses: two servers that create the same
-- ones collide at the first, not in a circle.
INSERT INTO accounts (id, ledger_id, address, overdraft_limit, metadata, created_at, balance, held,
    fraction, version, updated_at)
SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    u (id, ledger_id, address, overdraft_limit, metadata, created_at, balance, held, fraction,
       version, updated_at)
ORDER BY u.ledger_id, u.address COLLATE "C"
