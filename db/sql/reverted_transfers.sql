-- Which of these transfers are reverted already? Asked after the account locks: who reverts holds
-- both. Index transfers_by_reverts.
SELECT t.reverts FROM unnest($1) k (id) JOIN transfers t ON t.reverts = k.id
