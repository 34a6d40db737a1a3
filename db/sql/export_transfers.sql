-- Many transfers of a ledger, newest first, with $2 <= id < $3. The primary key holds them by kind:
-- one range of each, merged as they are read, so that no more than the page is. Without their
-- accounts' addresses: there are far fewer of those than transfers.
SELECT t.id, t.kind, t.from_account, t.to_account, t.amount, t.reference, t.metadata
FROM (
    (SELECT * FROM transfers r
     WHERE r.ledger_id = $1 AND r.kind = 1::int2 AND r.id >= $2 AND r.id < $3
     ORDER BY r.id DESC LIMIT $4)
    UNION ALL
    (SELECT * FROM transfers r
     WHERE r.ledger_id = $1 AND r.kind = 2::int2 AND r.id >= $2 AND r.id < $3
     ORDER BY r.id DESC LIMIT $4)
    UNION ALL
    (SELECT * FROM transfers r
     WHERE r.ledger_id = $1 AND r.kind = 3::int2 AND r.id >= $2 AND r.id < $3
     ORDER BY r.id DESC LIMIT $4)
    UNION ALL
    (SELECT * FROM transfers r
     WHERE r.ledger_id = $1 AND r.kind = 4::int2 AND r.id >= $2 AND r.id < $3
     ORDER BY r.id DESC LIMIT $4)
    UNION ALL
    (SELECT * FROM transfers r
     WHERE r.ledger_id = $1 AND r.kind = 5::int2 AND r.id >= $2 AND r.id < $3
     ORDER BY r.id DESC LIMIT $4)
    UNION ALL
    (SELECT * FROM transfers r
     WHERE r.ledger_id = $1 AND r.kind = 6::int2 AND r.id >= $2 AND r.id < $3
     ORDER BY r.id DESC LIMIT $4)
    UNION ALL
    (SELECT * FROM transfers r
     WHERE r.ledger_id = $1 AND r.kind = 7::int2 AND r.id >= $2 AND r.id < $3
     ORDER BY r.id DESC LIMIT $4)
    UNION ALL
    (SELECT * FROM transfers r
     WHERE r.ledger_id = $1 AND r.kind = 8::int2 AND r.id >= $2 AND r.id < $3
     ORDER BY r.id DESC LIMIT $4)
    UNION ALL
    (SELECT * FROM transfers r
     WHERE r.ledger_id = $1 AND r.kind = 9::int2 AND r.id >= $2 AND r.id < $3
     ORDER BY r.id DESC LIMIT $4)
    UNION ALL
    (SELECT * FROM transfers r
     WHERE r.ledger_id = $1 AND r.kind = 10::int2 AND r.id >= $2 AND r.id < $3
     ORDER BY r.id DESC LIMIT $4)
    UNION ALL
    (SELECT * FROM transfers r
     WHERE r.ledger_id = $1 AND r.kind = 11::int2 AND r.id >= $2 AND r.id < $3
     ORDER BY r.id DESC LIMIT $4)
    UNION ALL
    (SELECT * FROM transfers r
     WHERE r.ledger_id = $1 AND r.kind = 12::int2 AND r.id >= $2 AND r.id < $3
     ORDER BY r.id DESC LIMIT $4)
) t ORDER BY t.id DESC LIMIT $4
