-- What the purge looks for: answers whose keys are past their retention, and deleted ledgers. Both
-- are indexes on what is written once; a commit that moves money touches neither.

CREATE INDEX answers_by_age ON answers (created_at);
CREATE INDEX ledgers_deleted ON ledgers (deleted_at) WHERE deleted_at IS NOT NULL;
