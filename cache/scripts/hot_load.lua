-- Brings accounts and holds of the store into the books of a hot ledger. What is there stays: of
-- two who load, the second changes nothing, and whoever posted in between has the truth.
--   KEYS    the books, what is due for the sync, the holds: of one ledger, under one hash tag
--   ARGV    1 the process of Redis that the caller talks to   2 the token of the reply that
--           called them cold   3 now in ms; then of each "account" or "hold", its name and its line
--   →  "loaded"; "stale": something was taken out of the books or they were built anew since the
--      token was given, so what the store said then may be old; "unready"
-- An account whose row is behind its own transfers is marked as changed and due for the sync.
local head = redis.pcall('HMGET', KEYS[1], '#', '#removed')
local process, base, position, at, ordinal, keys_from =
    string.match(head[1] or '', '^(%S+) (%d+) (%d+) (%d+) (%d+) (%d+)$')
if process ~= ARGV[1] or redis.pcall('ZSCORE', KEYS[2], '') ~= 'inf' or
    redis.pcall('HGET', KEYS[3], '') ~= base then
    return 'unready'
end
if ARGV[2] ~= base .. ':' .. (head[2] or '') then return 'stale' end
local newest = tonumber(at)
for i = 4, #ARGV, 3 do
    local name, line = ARGV[i + 1], ARGV[i + 2]
    if ARGV[i] == 'hold' then
        redis.call('HSETNX', KEYS[3], name, line)
    elseif redis.call('HSETNX', KEYS[1], name, line) == 1 then
        local mark, its_at = string.match(line, '^([cd]) %-?%d+ %d+ %d+ %d+ (%d+) ')
        newest = math.max(newest, tonumber(its_at))
        if mark == 'd' then redis.call('ZADD', KEYS[2], ARGV[3], name) end
    end
end
-- Within an account time never goes back, and the ledger's time is that of all of them.
if newest > tonumber(at) then
    redis.call('HSET', KEYS[1], '#', table.concat({process, base, position,
        string.format('%.0f', newest), '0', keys_from}, ' '))
end
return 'loaded'
