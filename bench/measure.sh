# Sourced by ./dev: what is measured while something is away, overdue or too much. Every verb here
# has servers, data and reports of its own, like those of `bench`.

# measuring: what all of them begin with.
measuring() {
    need "${packages_build[@]}" "${packages_services[@]}"
    compile release penstock penstock-bench
    forget_options
    many_files
    lock_instance bench
    reports=$root/.run/bench
    bench_sound=1
    mkdir -p "$reports"
    bench_postgres bench-data
}

measured() {
    stop_all
    ((bench_sound)) || fail "a run was not sound: see above"
}

# slay PID: SIGKILL to what this script has started, without the shell's word on it.
slay() { { kill -s KILL "$1" && wait "$1"; } 2>/dev/null || true; }

# least: the smallest of the numbers on stdin, one to a line.
least() { sort -g | head -1; }

# ms FILE KEY: of the report's first server, microseconds as milliseconds.
ms() { figure '%.3f' 'v / 1000' v="$(json_number "$1" "$2" 1)"; }

# never_sent FILE: what an open loop could not send in time makes its percentiles flatter.
never_sent() {
    local missed
    missed=$(json_number "$1" not_sent 1)
    ((${missed:-0} == 0)) || say "NOTE: $missed requests of ${1##*/} were due and never sent"
}

# ------------------------------------------------------------------------------ Redis is away

# redis_is_up URL: every thread of that server has it, and trusts it. An open breaker closes when a
# request tries it, so one is made.
redis_is_up() {
    local name=probe-$RANDOM$RANDOM
    curl -fsS --max-time 2 -o /dev/null "$1/v1/ledgers" -H "Idempotency-Key: $name" \
        -H 'Content-Type: application/json' \
        -d "{\"name\":\"$name\",\"asset\":{\"code\":\"EUR\",\"scale\":2}}" || return 1
    curl -fsS --max-time 2 "$1/metrics" | awk '
        /^penstock_redis_up/ { seen++; up += $NF }
        /^penstock_edge_breaker_state/ { open += $NF }
        END { exit !(seen > 0 && up == seen && open == 0) }'
}

redis_away() {
    case $1 in
        stopped) kill -s STOP "$redis" ;;
        killed) slay "$redis" ;;
    esac
}

redis_back() {
    case $1 in
        stopped) kill -s CONT "$redis" ;;
        killed) start_redis "$dir" && redis=$launched ;;
    esac
    wait_until 60 $$ redis_is_up "$url" || fail "the server does not come back to Redis"
}

# verb_away [seconds [rate [rounds]]]: what is a purchase's latency while Redis is not there? In
# turns, for this machine's next minute is another machine: running, stopped, running, killed.
verb_away() {
    local seconds=${1:-6} rate=${2:-300} rounds=${3:-8} dir psql database url redis round state
    measuring
    start_redis "$dir"
    redis=$launched
    bench_server away --redis-url "unix://$dir/redis.sock"
    for ((round = 1; round <= rounds; round++)); do
        for state in before-stopped stopped before-killed killed; do
            redis_away "$state"
            load "away-$state-$round" "$rate purchases a second, Redis ${state/before-*/running}" \
                purchases --pattern uniform --ledgers 8 --accounts 100 --connections 32 \
                --rate "$rate" --duration "$seconds" --warmup 1 --target "$url"
            redis_back "$state"
            never_sent "$reports/away-$state-$round.json"
        done
    done
    away_summary "$seconds" "$rate" "$rounds"
    measured
}

# away_rows KEY STATE [minus STATE]: a line for each round.
away_rows() {
    local round other=${4:-}
    for ((round = 1; round <= rounds; round++)); do
        figure '%.3f\n' 'a - b' a="$(ms "$reports/away-$2-$round.json" "$1")" \
            b="$([[ ! $other ]] || ms "$reports/away-$other-$round.json" "$1")"
    done
}

away_summary() {
    local state
    say "" && say "== purchases while Redis is away: $2 a second, $3 turns of $1 s of each kind, ms"
    printf '%-10s %14s %14s %14s %28s\n' Redis 'p50, median' 'p99, median' 'p99, least' \
        'p99 above the turn before'
    for state in before-stopped stopped before-killed killed; do
        printf '%-10s %14s %14s %14s %28s\n' "${state/before-*/running}" \
            "$(away_rows p50_us $state | middle)" "$(away_rows p99_us $state | middle)" \
            "$(away_rows p99_us $state | least)" \
            "$([[ $state == before-* ]] || away_rows p99_us $state minus before-$state | middle)"
    done
    say "goal: less than 5 ms above"
}

# ------------------------------------------------------------------------------ holds that expire

# verb_holds [holds [seconds]]: so many open holds come due within so many seconds, on two servers,
# one of which is killed half-way and started again; beside them a load that shares their writers.
verb_holds() {
    local holds=${1:-1000000} seconds=${2:-60} dir psql database begins first second victim other
    local beside deadline
    measuring
    fresh_database holds
    build/release/penstock migrate --database-url "$database" >/dev/null
    say "$holds open holds are being made"
    "${psql[@]}" -d holds -v ledger=holds -v accounts=1000 -v transfers=1000 \
        -f bench/sql/fill_ledger.sql
    # Time enough to make and prove them before the first one is due.
    begins=$(($(date +%s) + 30 + holds / 8000))
    "${psql[@]}" -d holds -v ledger=holds -v holds="$holds" -v begins="$begins" \
        -v seconds="$seconds" -f bench/sql/fill_holds.sql
    build/release/penstock verify --database-url "$database" --ledger holds ||
        fail "the holds are not sound"
    (($(date +%s) + 10 < begins)) || fail "making the holds took too long for this machine"
    first=127.0.0.1:$(free_port)
    serve .run/bench-holds-1.log "$first" --database-url "$database"
    second=127.0.0.1:$(free_port)
    serve .run/bench-holds-2.log "$second" --database-url "$database"
    victim=$launched
    until (($(date +%s) >= begins - 5)); do sleep 0.2; done
    say "" && say "== $holds holds due within $seconds s, 200 transfers a second beside them"
    build/release/penstock-bench transfers --ledgers 16 --accounts 100 --connections 32 \
        --rate 200 --warmup 0 --duration $((seconds + 10)) --target "http://$first" \
        --json "$reports/holds.json" --html "$reports/holds.html" &
    beside=$!
    started+=("$beside TERM penstock-bench")
    until (($(date +%s) >= begins + seconds / 2)); do sleep 0.2; done
    slay "$victim"
    serve .run/bench-holds-2.log "$second" --database-url "$database"
    wait "$beside" || { bench_sound=0 && say "NOT SOUND: holds"; }
    deadline=$((SECONDS + 60 + holds / 1000))
    until [[ $(holds_figure "count(*) filter (where status = 0)") == 0 ]]; do
        ((SECONDS < deadline)) || fail "some holds have not ended"
        sleep 1
    done
    holds_summary
    measured
}

# holds_figure EXPRESSION: over all holds.
holds_figure() { "${psql[@]}" -d holds -c "select $1 from holds"; }

holds_summary() {
    local told held
    told=$("${psql[@]}" -d holds -c "select count(*) || ' events of ' || count(distinct subject)
        || ' holds' from events where type = 3")
    held=$("${psql[@]}" -d holds -c "select coalesce(sum(held), 0) from accounts")
    build/release/penstock verify --database-url "$database" || bench_sound=0
    [[ $told == "$holds events of $holds holds" && $held == 0 ]] || bench_sound=0
    say "" && say "== holds that expire"
    say "$(holds_figure "count(*) || ' ended, the latest ' ||
        round(extract(epoch from max(ended_at - expires_at)), 1) || ' s after it was due, ' ||
        round(extract(epoch from max(ended_at) - min(expires_at)), 1) || ' s after the first was: '
        || round(count(*) / extract(epoch from max(ended_at) - min(expires_at))) || ' a second'")"
    say "$told, held $held"
    say "transfers beside them: p50 $(ms "$reports/holds.json" p50_us) ms, \
p99 $(ms "$reports/holds.json" p99_us) ms"
    never_sent "$reports/holds.json"
}

# ------------------------------------------------------------------------------ many streams

# verb_streams [streams [seconds]]: what `./dev bench` does with a tenth of them.
verb_streams() {
    local streams=${1:-100000} seconds=${2:-24} dir psql database url batched single
    measuring
    bench_server batch --commit-mode=batch
    batched=$url
    bench_server single --commit-mode=single
    single=$url
    load many-streams "withdrawals from $streams streams, against one commit each" \
        streams --accounts "$streams" --connections 256 --duration "$seconds" \
        --target "$batched" --against "$single"
    say "" && against many-streams "withdrawals from streams, goal 4"
    measured
}

# ------------------------------------------------------------------------------ too much

# verb_overload [seconds [times [rounds]]]: of so many times what the server can do, how much does
# it do, and how long do those wait who are served? Bulk requests of 100 transfers, so that one
# load generator can offer it; the peak and the overload in turn.
verb_overload() {
    local seconds=${1:-10} times=${2:-10} rounds=${3:-3} dir psql database url round rate
    measuring
    bench_server overload
    for ((round = 1; round <= rounds; round++)); do
        load "overload-peak-$round" "bulk requests of 100 transfers, as many as are answered" \
            bulk --batch 100 --connections 16 --accounts 10000 --duration "$seconds" \
            --target "$url"
        rate=$(figure '%.0f' 'r * t' t="$times" \
            r="$(json_number "$reports/overload-peak-$round.json" requests_per_second 1)")
        load "overload-$round" "the same, $rate a second: $times times as many" \
            bulk --batch 100 --connections 1024 --rate "$rate" --accounts 10000 \
            --duration "$seconds" --target "$url"
        never_sent "$reports/overload-$round.json"
    done
    overload_summary "$times" "$rounds"
    measured
}

overload_summary() {
    local round peak over goodput=()
    say "" && say "== $1 times the peak"
    for ((round = 1; round <= $2; round++)); do
        peak=$reports/overload-peak-$round.json
        over=$reports/overload-$round.json
        goodput+=("$(figure '%.1f' '(p > 0 ? 100 * o / p : 0)' \
            o="$(json_number "$over" units_per_second 1)" \
            p="$(json_number "$peak" units_per_second 1)")")
        say "$(figure 'peak %8.0f transfers/s, overloaded %8.0f/s: %5.1f %%' 'p, o, g' \
            p="$(json_number "$peak" units_per_second 1)" \
            o="$(json_number "$over" units_per_second 1)" g="${goodput[-1]}"), \
p99 of the served $(ms "$over" p99_us) ms (at the peak $(ms "$peak" p99_us) ms), \
turned away $(grep -o '"turned_away":{[^}]*}' "$over" | cut -d: -f2-)"
    done
    say "goodput, median: $(printf '%s\n' "${goodput[@]}" | middle) % of the peak; goal: 80 %"
}

# ------------------------------------------------------------------------------ a whole ledger

# verb_export [transfers [seconds]]: a ledger of so many transfers as one file: written, fetched,
# and how much memory the server had meanwhile.
verb_export() {
    local transfers=${1:-10000000} seconds=${2:-20} dir psql database url watcher fresh
    measuring
    fresh_database export
    build/release/penstock migrate --database-url "$database" >/dev/null
    say "$transfers transfers are being made"
    "${psql[@]}" -d export -v ledger=export -v accounts=1000 -v transfers="$transfers" \
        -f bench/sql/fill_ledger.sql
    url=127.0.0.1:$(free_port)
    serve .run/bench-export.log "$url" --database-url "$database"
    fresh=$(resident_mib "http://$url")
    : >"$reports/export-memory.txt"
    while resident_mib "http://$url" >>"$reports/export-memory.txt"; do sleep 0.2; done &
    watcher=$!
    started+=("$watcher TERM watcher")
    load export "a ledger of $transfers transfers as CSV, one client" export --ledger export \
        --connections 1 --warmup 0 --duration "$seconds" --timeout-ms 60000 --target "http://$url"
    kill "$watcher"
    say "" && say "== memory of the server, MiB"
    say "before $fresh, at most $(sort -g "$reports/export-memory.txt" | tail -1) of \
$(wc -l <"$reports/export-memory.txt") looks while it was written and fetched"
    measured
}

resident_mib() {
    curl -fsS --max-time 5 "$1/metrics" |
        awk '/^process_resident_memory_bytes/ { found = 1; printf "%.1f\n", $2 / 1048576 }
            END { exit !found }'
}

# ------------------------------------------------------------------------------ hot ledgers

# verb_hot [seconds [rate…]]: against durable ledgers on the same server, in turn; then hot ledgers
# alone, at so many transfers a second and as fast as they are answered, for how far PostgreSQL is
# behind: a lag that grows from quarter to quarter is one that never ends.
verb_hot() {
    local seconds=${1:-20} dir psql database url edge rate rates
    shift || true
    rates=("$@")
    ((${#rates[@]})) || rates=(500 1000 2000 4000)
    measuring
    rm -rf "$dir/redis"
    start_redis "$dir"
    bench_server hot --redis-url "unix://$dir/redis.sock"
    edge=$url
    bench_hot "$seconds"
    for rate in "${rates[@]}"; do
        load "hot-rate-$rate" "$rate transfers a second in a hot ledger" \
            hot --connections 256 --accounts 10000 --rate "$rate" --duration "$seconds" \
            --target "$url"
        never_sent "$reports/hot-rate-$rate.json"
    done
    load hot-peak "as many as are answered, 256 connections" \
        hot --connections 256 --accounts 10000 --duration $((3 * seconds)) --target "$url"
    hot_summary
    measured
}

hot_summary() {
    local name what
    say "" && say "== hot ledgers, against durable ones of the same server"
    hot_line hot-uniform "random accounts; goal 1.50, p50 0.40"
    hot_line hot-one "one account"
    hot_line hot-bulk "bulk of 500"
    hot_line hot-paced "2000/s, 64 connections; goal of p50 0.40"
    say "" && say "== a hot ledger alone"
    for name in "${rates[@]/#/hot-rate-}" hot-peak; do
        say "$(figure '%-42s %7.0f/s, p50 %7.2f ms, p99 %7.2f ms' 'n, r, p / 1e3, q / 1e3' \
            n="$name" r="$(json_number "$reports/$name.json" units_per_second 1)" \
            p="$(json_number "$reports/$name.json" p50_us 1)" \
            q="$(json_number "$reports/$name.json" p99_us 1)")"
        for what in "journal lag" "journal lag, oldest" "to be synced" "to be synced, oldest" \
            "all home after the load"; do
            hot_figure "$name" "$what"
        done
    done
    say "reports: $reports/hot-*.html"
}
