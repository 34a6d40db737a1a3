-- What follows in this transaction reads, and all of it the same state.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY
