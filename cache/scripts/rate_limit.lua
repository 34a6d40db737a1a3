-- Judges one request of one subject on the clock of Redis, so that every server counts by the same
-- time: the arithmetic of cache/gcra.cpp.
--   KEYS[1] the subject's schedule: when its quota is whole again, in microseconds since 1970
--   ARGV[1] the interval   ARGV[2] the window, both in microseconds
--   →  {1 allowed or 0 refused, how far the schedule is ahead of the clock afterwards}
-- A key that holds something else is overwritten: it says nothing about the subject. The key
-- expires when the quota is whole, which is what an absent key means.
local interval, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local kept = redis.pcall('GET', KEYS[1])
local ahead = 0
if type(kept) == 'string' and string.match(kept, '^%d+$') then ahead = tonumber(kept) - now end
local backlog = math.min(math.max(ahead, 0), window)
local allowed = backlog + interval <= window
if allowed then backlog = backlog + interval end
-- A schedule that was cut is written even when the request is refused, or it would stay ahead.
if allowed or ahead > window then
    local schedule = string.format('%.0f', now + backlog)
    redis.call('SET', KEYS[1], schedule, 'PX', math.ceil(backlog / 1000))
end
return {allowed and 1 or 0, backlog}
