-- What the activity feed and the history of credits walk: a ledger's operations of one kind, so
-- that a page of one kind never walks the others; and the transfers of an issuer, which leave no
-- entry of his.
CREATE INDEX credit_operations_by_kind ON credit_operations (ledger_id, kind, id);
CREATE INDEX credit_operations_by_issuer ON credit_operations (sender, id) WHERE minted;

-- Who lost credits by their expiry is one party, not two.
UPDATE events SET counterparty = NULL WHERE type = 7 AND counterparty IS NOT NULL;
