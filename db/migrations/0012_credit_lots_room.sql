-- Room on each page for a second version of every lot on it. An expense over 30,000 addresses takes
-- a part of as many lots, which one grant wrote side by side: with a full page each of them went
-- to another one, and into three indexes again.
ALTER TABLE credit_lots SET (fillfactor = 50);
