-- A page of what happened in the ledger $2 of an organization ($1), or in all of its ledgers,
-- newest first, with id < $5, of the types $3 (transfers: of the kinds $4). The newest of every
-- kind of row, merged: a range of transfers' and purchases' primary keys, of holds_by_status, of
-- accounts_by_creation and of events' primary key for each ledger.
WITH l AS MATERIALIZED (
    SELECT id, name FROM ledgers
    WHERE organization_id = $1 AND deleted_at IS NULL AND ($2 IS NULL OR id = $2)
), scopes AS (
    SELECT id FROM l UNION ALL SELECT $1 WHERE $2 IS NULL
), x AS MATERIALIZED (
    (SELECT n.* FROM l CROSS JOIN unnest($4) k (kind) CROSS JOIN LATERAL (
        SELECT t.id, (100 + t.kind)::int2 AS type, t.ledger_id, t.id::text AS subject,
            t.from_account AS account, t.to_account AS counterparty, t.amount, t.id AS transfer
        FROM transfers t WHERE t.ledger_id = l.id AND t.kind = k.kind AND t.id < $5
        ORDER BY t.id DESC LIMIT $6) n
     ORDER BY n.id DESC LIMIT $6)
    UNION ALL
    (SELECT n.* FROM l CROSS JOIN LATERAL (
        SELECT p.id, 3::int2, p.ledger_id, p.id::text AS subject,
            p.buyer, p.author, p.price, NULL::uuid
        FROM purchases p WHERE 3 = ANY ($3) AND p.ledger_id = l.id AND p.id < $5
        ORDER BY p.id DESC LIMIT $6) n
     ORDER BY n.id DESC LIMIT $6)
    UNION ALL
    (SELECT n.* FROM l CROSS JOIN generate_series(0, 3) s (status) CROSS JOIN LATERAL (
        SELECT h.id, 2::int2, h.ledger_id, h.id::text AS subject,
            h.from_account, h.to_account, h.amount,
            NULL::uuid
        FROM holds h
        WHERE 2 = ANY ($3) AND h.ledger_id = l.id AND h.status = s.status::int2 AND h.id < $5
        ORDER BY h.id DESC LIMIT $6) n
     ORDER BY n.id DESC LIMIT $6)
    UNION ALL
    (SELECT n.* FROM l CROSS JOIN LATERAL (
        SELECT a.id, 1::int2, a.ledger_id, a.address, a.id AS account, NULL::uuid, NULL::int8,
            NULL::uuid
        FROM accounts a
        WHERE 1 = ANY ($3) AND a.ledger_id = l.id AND a.id < $5 AND a.address NOT LIKE '@%'
        ORDER BY a.id DESC LIMIT $6) n
     ORDER BY n.id DESC LIMIT $6)
    UNION ALL
    (SELECT n.* FROM scopes CROSS JOIN unnest($3) y (type) CROSS JOIN LATERAL (
        SELECT e.id, (200 + e.type)::int2, e.ledger_id, e.subject::text, e.account,
            e.counterparty, e.amount, e.transfer
        FROM events e WHERE e.scope_id = scopes.id AND e.type = y.type - 200::int2 AND e.id < $5
        ORDER BY e.id DESC LIMIT $6) n
     WHERE y.type > 200
     ORDER BY n.id DESC LIMIT $6)
    ORDER BY id DESC LIMIT $6
)
SELECT x.id, x.type, l.name, x.subject, a.address, c.address, x.amount, x.transfer
FROM x
LEFT JOIN l ON l.id = x.ledger_id
LEFT JOIN accounts a ON a.id = x.account
LEFT JOIN accounts c ON c.id = x.counterparty
ORDER BY x.id DESC
