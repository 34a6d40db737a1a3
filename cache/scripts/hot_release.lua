-- Ends claims that are still the owner's.
--   KEYS    the books, what is due, what is claimed, by whom: of one ledger, under one hash tag
--   ARGV    1 the owner's token   2 now in ms; then of each its address and the line that the
--           store has by now, empty if it was not written
--   →  how many are clean: their line is still that one. All others are due again at once.
-- That something was written now is noted in the books.
local unpack_max = 4000
local function write(command, key, list)
    for begin = 1, #list, unpack_max do
        redis.call(command, key, unpack(list, begin, math.min(begin + unpack_max - 1, #list)))
    end
end

local addresses, ours, lines, due = {}, {}, {}, {}
local clean, flushed = 0, false
for i = 3, #ARGV, 2 do addresses[#addresses + 1] = ARGV[i] end
for begin = 1, #addresses, unpack_max do
    local behind = math.min(begin + unpack_max - 1, #addresses)
    local owners = redis.call('HMGET', KEYS[4], unpack(addresses, begin, behind))
    local found = redis.call('HMGET', KEYS[1], unpack(addresses, begin, behind))
    for i = begin, behind do
        local address, written = addresses[i], ARGV[2 * i + 2]
        if owners[i - begin + 1] == ARGV[1] then
            ours[#ours + 1] = address
            flushed = flushed or written ~= ''
            if written ~= '' and found[i - begin + 1] == written then
                lines[#lines + 1], lines[#lines + 2] = address, 'c' .. string.sub(written, 2)
                clean = clean + 1
            else
                due[#due + 1], due[#due + 2] = ARGV[2], address
            end
        end
    end
end
write('HDEL', KEYS[4], ours)
write('ZREM', KEYS[3], ours)
write('HSET', KEYS[1], lines)
write('ZADD', KEYS[2], due)
if flushed then redis.call('HSET', KEYS[1], '#flushed', ARGV[2]) end
return clean
