-- Claims accounts that are due for the sync, each for one owner at a time.
--   KEYS    the books, what is due, what is claimed, by whom: of one ledger, under one hash tag
--   ARGV    1 the epoch that the caller works for   2 now in ms   3 those changed up to then are
--           due, in ms   4 how many at most   5 the owner's token   6 its lease in ms
--   →  {"claimed", drained, and of each its address and its line, or "" where it has none};
--      {"superseded"}: the books are of another epoch, or gone
-- An address is due or claimed, never both: what others have claimed is in nobody's way. Claims
-- whose lease is over are due again.
local head = redis.pcall('HMGET', KEYS[1], '#epoch', '#drained')
if head[1] ~= ARGV[1] or not head[2] then return {'superseded'} end

local unpack_max = 4000
local function write(command, key, list)
    for begin = 1, #list, unpack_max do
        redis.call(command, key, unpack(list, begin, math.min(begin + unpack_max - 1, #list)))
    end
end

local over = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', ARGV[2], 'WITHSCORES', 'LIMIT', 0,
    ARGV[4])
local gone, back = {}, {}
for i = 1, #over, 2 do
    gone[#gone + 1] = over[i]
    back[#back + 1], back[#back + 2] = over[i + 1] - tonumber(ARGV[6]), over[i]
end
write('ZREM', KEYS[3], gone)
write('HDEL', KEYS[4], gone)
write('ZADD', KEYS[2], back)

local claimed, held, owned = {'claimed', head[2]}, {}, {}
local ends = string.format('%.0f', tonumber(ARGV[2]) + tonumber(ARGV[6]))
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[3], 'LIMIT', 0, ARGV[4])
for begin = 1, #due, unpack_max do
    local behind = math.min(begin + unpack_max - 1, #due)
    local lines = redis.call('HMGET', KEYS[1], unpack(due, begin, behind))
    for i = begin, behind do
        held[#held + 1], held[#held + 2] = ends, due[i]
        owned[#owned + 1], owned[#owned + 2] = due[i], ARGV[5]
        claimed[#claimed + 1], claimed[#claimed + 2] = due[i], lines[i - begin + 1] or ''
    end
end
write('ZREM', KEYS[2], due)
write('ZADD', KEYS[3], held)
write('HSET', KEYS[4], owned)
return claimed
