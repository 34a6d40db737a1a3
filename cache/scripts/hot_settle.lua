-- Forgets what the store has: acknowledges and trims the journal, and drops the holds that ended.
--   KEYS    the books, the journal, the holds: of one ledger, under one hash tag
--   ARGV    1 the epoch under which it was committed   2 the position up to which the store has
--           everything   3 how many entries; these, by position; then the holds that ended in them
--   →  "settled"; "superseded": the books are of another epoch by now, and hand these out again
local epoch = redis.pcall('HGET', KEYS[1], '#epoch')
if epoch ~= ARGV[1] then return 'superseded' end
local behind = 3 + tonumber(ARGV[3])
local ids, unpack_max = {}, 4000
for i = 4, behind do ids[#ids + 1] = ARGV[i] .. '-0' end
for begin = 1, #ids, unpack_max do
    redis.call('XACK', KEYS[2], 'drain',
        unpack(ids, begin, math.min(begin + unpack_max - 1, #ids)))
end
local drained = tonumber(redis.call('HGET', KEYS[1], '#drained'))
if not drained or drained < tonumber(ARGV[2]) then
    redis.call('HSET', KEYS[1], '#drained', ARGV[2])
    redis.call('XTRIM', KEYS[2], 'MINID', string.format('%.0f-0', tonumber(ARGV[2]) + 1))
end
-- Whoever read one of them in the store before it ended there must not load it now.
local removed = 0
for i = behind + 1, #ARGV do removed = removed + redis.call('HDEL', KEYS[3], ARGV[i]) end
if removed > 0 then redis.call('HINCRBY', KEYS[1], '#removed', 1) end
return 'settled'
