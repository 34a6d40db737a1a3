-- Ends claims that are still the owner's.
--   KEYS    the books, what is due, what is claimed, by whom: of one ledger, under one hash tag
--   ARGV    1 the owner's token   2 now in ms; then of each its address and the line that the
--           store has by now, empty if it was not written
--   →  how many are clean: their line is still that one. All others are due again at once.
-- That something was written now is noted in the books.
local clean, flushed = 0, false
for i = 3, #ARGV, 2 do
    local address, written = ARGV[i], ARGV[i + 1]
    if redis.call('HGET', KEYS[4], address) == ARGV[1] then
        redis.call('HDEL', KEYS[4], address)
        redis.call('ZREM', KEYS[3], address)
        flushed = flushed or written ~= ''
        if written ~= '' and redis.call('HGET', KEYS[1], address) == written then
            redis.call('HSET', KEYS[1], address, 'c' .. string.sub(written, 2))
            clean = clean + 1
        else
            redis.call('ZADD', KEYS[2], ARGV[2], address)
        end
    end
end
if flushed then redis.call('HSET', KEYS[1], '#flushed', ARGV[2]) end
return clean
