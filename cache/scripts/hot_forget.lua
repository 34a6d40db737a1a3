-- Forgets a hot ledger that was deleted. Only books that were closed for that are forgotten.
--   KEYS    the books, the journal, what is due, what is claimed, by whom, the holds, the dead
--           letters: of one ledger, under one hash tag
--   ARGV    1 the word of closed books
--   →  1 forgotten, 0 there are none, or they are in use
local head = redis.pcall('HMGET', KEYS[1], '#')
if string.match(head[1] or '', '^%S+') ~= ARGV[1] then return 0 end
redis.call('UNLINK', unpack(KEYS))
return 1
