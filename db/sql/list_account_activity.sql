-- A page of what the account $7 had a part in, newest first, with id < $5 (an instant not after
-- $8), of the types $3 (transfers: of the kinds $4), in the ledger $2 or in every ledger of an
-- organization ($1) where there is such an account. Both sides of every kind of row, merged:
-- accounts_by_address, then ranges of the parties' indexes; rows of other types are passed over.
WITH l AS MATERIALIZED (
    SELECT id, name FROM ledgers
    WHERE organization_id = $1 AND deleted_at IS NULL AND ($2 IS NULL OR id = $2)
), own AS MATERIALIZED (
    SELECT a.id, a.ledger_id, a.address FROM l JOIN accounts a ON a.ledger_id = l.id
    WHERE a.address = $7
), x AS MATERIALIZED (
    (SELECT n.* FROM own CROSS JOIN LATERAL (
        (SELECT t.id, (100 + t.kind)::int2 AS type, t.ledger_id, t.id::text AS subject,
            t.from_account AS account, t.to_account AS counterparty, t.amount, t.id AS transfer
         FROM transfers t
         WHERE t.from_account = own.id AND t.created_at <= $8 AND t.id < $5 AND t.kind = ANY ($4)
         ORDER BY t.created_at DESC, t.from_version DESC LIMIT $6)
        UNION ALL
        (SELECT t.id, (100 + t.kind)::int2, t.ledger_id, t.id::text, t.from_account,
            t.to_account, t.amount, t.id
         FROM transfers t
         WHERE t.to_account = own.id AND t.created_at <= $8 AND t.id < $5 AND t.kind = ANY ($4)
         ORDER BY t.created_at DESC, t.to_version DESC LIMIT $6)) n)
    UNION ALL
    (SELECT n.* FROM own CROSS JOIN LATERAL (
        (SELECT p.id, 3::int2, p.ledger_id, p.id::text AS subject,
             p.buyer, p.author, p.price, NULL::uuid
         FROM purchases p WHERE 3 = ANY ($3) AND p.buyer = own.id AND p.id < $5
         ORDER BY p.id DESC LIMIT $6)
        UNION ALL
        (SELECT p.id, 3::int2, p.ledger_id, p.id::text AS subject,
             p.buyer, p.author, p.price, NULL::uuid
         FROM purchases p WHERE 3 = ANY ($3) AND p.author = own.id AND p.id < $5
         ORDER BY p.id DESC LIMIT $6)) n)
    UNION ALL
    (SELECT n.* FROM own CROSS JOIN generate_series(0, 3) s (status) CROSS JOIN LATERAL (
        (SELECT h.id, 2::int2, h.ledger_id, h.id::text AS subject,
             h.from_account, h.to_account, h.amount,
            NULL::uuid
         FROM holds h
         WHERE 2 = ANY ($3) AND h.from_account = own.id AND h.status = s.status::int2
             AND h.id < $5
         ORDER BY h.id DESC LIMIT $6)
        UNION ALL
        (SELECT h.id, 2::int2, h.ledger_id, h.id::text AS subject,
             h.from_account, h.to_account, h.amount,
            NULL::uuid
         FROM holds h
         WHERE 2 = ANY ($3) AND h.to_account = own.id AND h.status = s.status::int2
             AND h.id < $5
         ORDER BY h.id DESC LIMIT $6)) n)
    UNION ALL
    (SELECT own.id, 1::int2, own.ledger_id, own.address, own.id, NULL::uuid, NULL::int8,
        NULL::uuid
     FROM own WHERE 1 = ANY ($3) AND own.id < $5 AND own.address NOT LIKE '@%')
    UNION ALL
    (SELECT n.* FROM own CROSS JOIN LATERAL (
        (SELECT e.id, (200 + e.type)::int2, e.ledger_id, e.subject::text, e.account,
            e.counterparty, e.amount, e.transfer
         FROM events e
         WHERE e.account = own.id AND e.id < $5 AND e.type + 200 = ANY ($3)
             AND e.product_id IS NULL
         ORDER BY e.id DESC LIMIT $6)
        UNION ALL
        (SELECT e.id, (200 + e.type)::int2, e.ledger_id, e.subject::text, e.account,
            e.counterparty, e.amount, e.transfer
         FROM events e
         WHERE e.counterparty = own.id AND e.id < $5 AND e.type + 200 = ANY ($3)
             AND e.product_id IS NULL
         ORDER BY e.id DESC LIMIT $6)) n)
    ORDER BY id DESC LIMIT $6
)
SELECT x.id, x.type, l.name, x.subject, a.address, c.address, x.amount, x.transfer
FROM x
LEFT JOIN l ON l.id = x.ledger_id
LEFT JOIN accounts a ON a.id = x.account
LEFT JOIN accounts c ON c.id = x.counterparty
ORDER BY x.id DESC
