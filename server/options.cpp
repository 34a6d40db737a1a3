// What can be set from outside: the table itself.
#include "server/options.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <cstdlib>
#include <map>
#include <thread>

namespace penstock::server {
namespace {

using Complaint = std::optional<std::string>;
using Shape = OptionRow::Shape;

std::optional<std::uint64_t> number(std::string_view text, std::uint64_t least,
                                    std::uint64_t most) {
    std::uint64_t value = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (value < least || value > most) return std::nullopt;
    return value;
}

template <auto Member, std::uint64_t Least, std::uint64_t Most>
Complaint integer(Options& options, std::string_view text) {
    auto const value = number(text, Least, Most);
    if (!value)
        return "a whole number from " + std::to_string(Least) + " to " + std::to_string(Most);
    using T = std::remove_reference_t<decltype(options.*Member)>;
    options.*Member = static_cast<T>(*value);
    return std::nullopt;
}

/// Of a unit of time.
template <auto Member, std::uint64_t Least, std::uint64_t Most>
Complaint duration(Options& options, std::string_view text) {
    auto const value = number(text, Least, Most);
    if (!value)
        return "a whole number from " + std::to_string(Least) + " to " + std::to_string(Most);
    using T = std::remove_reference_t<decltype(options.*Member)>;
    options.*Member = T(static_cast<std::int64_t>(*value));
    return std::nullopt;
}

template <auto Member>
Complaint text(Options& options, std::string_view value) {
    options.*Member = value;
    return std::nullopt;
}

Complaint listen(Options& options, std::string_view value) {
    constexpr char const* wanted = "an address and a port, 127.0.0.1:8080 or [::1]:8080";
    auto const colon = value.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return wanted;
    auto const port = number(value.substr(colon + 1), 0, 65'535);
    auto host = std::string(value.substr(0, colon));
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    error_code error;
    asio::ip::make_address(host, error);
    if (!port || error) return wanted;
    options.listen_address = host;
    options.listen_port = static_cast<std::uint16_t>(*port);
    return std::nullopt;
}

Complaint threads(Options& options, std::string_view value) {
    if (!value.empty()) return integer<&Options::threads, 1, 64>(options, value);
    // Half of the cores: the database, on the same machine more often than not, wants the rest.
    options.threads = std::clamp<std::size_t>(std::thread::hardware_concurrency() / 2, 1, 64);
    return std::nullopt;
}

Complaint commit_mode(Options& options, std::string_view value) {
    if (value != "batch" && value != "single") return "batch or single";
    options.commit_mode = value == "batch" ? CommitMode::batch : CommitMode::single;
    return std::nullopt;
}

template <auto Member>
Complaint on_or_off(Options& options, std::string_view value) {
    if (value != "on" && value != "off") return "on or off";
    options.*Member = value == "on";
    return std::nullopt;
}

template <auto Member>
Complaint flag(Options& options, std::string_view value) {
    if (value != "true" && value != "false") return "true or false";
    options.*Member = value == "true";
    return std::nullopt;
}

Complaint read_from(Options& options, std::string_view value) {
    if (value != "primary" && value != "shadow") return "primary or shadow";
    options.read_from = value == "primary" ? db::ReadFrom::primary : db::ReadFrom::shadow;
    return std::nullopt;
}

template <auto Member>
Complaint secret(Options& options, std::string_view value) {
    constexpr std::size_t least = 16;
    bool const visible =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x21 && c <= 0x7E; });
    if (!value.empty() && (value.size() < least || !visible))
        return "at least 16 visible ASCII characters without a space";
    options.*Member = value;
    return std::nullopt;
}

Complaint cors_origins(Options& options, std::string_view value) {
    options.cors_origins.clear();
    while (!value.empty()) {
        auto const end = std::min(value.find(','), value.size());
        auto const origin = value.substr(0, end);
        if (origin != "*" && origin.find("://") == std::string_view::npos)
            return "origins separated by commas (https://shop.example,https://b.example), or *";
        options.cors_origins.emplace_back(origin);
        value.remove_prefix(std::min(end + 1, value.size()));
    }
    return std::nullopt;
}

template <RateClass Class>
Complaint rate(Options& options, std::string_view value) {
    auto const limit = parse_rate(value);
    if (!value.empty() && !limit)
        return "a rate as 100/s, 60/min, 10/h or 5/d, if wanted with ,burst=200 behind it: at most "
               "100000/s, and a burst that is back within 31 days";
    options.rate_limits.set(Class, limit);
    return std::nullopt;
}

Complaint format(Options& options, std::string_view value) {
    if (value != "plain" && value != "markdown") return "plain or markdown";
    options.format = value == "plain" ? TextFormat::plain : TextFormat::markdown;
    return std::nullopt;
}

Complaint log_level(Options& options, std::string_view value) {
    static std::map<std::string_view, LogLevel> const levels{{"debug", LogLevel::debug},
                                                             {"info", LogLevel::info},
                                                             {"warning", LogLevel::warning},
                                                             {"error", LogLevel::error},
                                                             {"off", LogLevel::off}};
    auto const level = levels.find(value);
    if (level == levels.end()) return "debug, info, warning, error or off";
    options.log_level = level->second;
    return std::nullopt;
}

constexpr std::array table{
    OptionRow{"listen", "PENSTOCK_LISTEN", "127.0.0.1:8080",
              "address and port to serve on; port 0 takes any", listen},
    OptionRow{"database-url", "PENSTOCK_DATABASE_URL", "",
              "postgresql://…; without it the embedded store, which keeps nothing",
              text<&Options::database_url>, Shape::secret},
    OptionRow{"shadow-store", "PENSTOCK_SHADOW_STORE", "",
              "postgresql://… of a second database that every commit goes to as well",
              text<&Options::shadow_store>, Shape::secret},
    OptionRow{"read-from", "PENSTOCK_READ_FROM", "primary",
              "primary or shadow: which of the two answers lists and finds", read_from},
    OptionRow{"shadow-queue-rows", "PENSTOCK_SHADOW_QUEUE_ROWS", "200000",
              "rows per thread that may wait for the shadow; more are left to a backfill",
              integer<&Options::shadow_queue_rows, 1'000, 10'000'000>},
    OptionRow{"redis-url", "PENSTOCK_REDIS_URL", "", "redis://… or unix://…; optional",
              text<&Options::redis_url>, Shape::secret},
    OptionRow{"admin-key", "PENSTOCK_ADMIN_KEY", "",
              "the operator's first key; without it the server stays on loopback",
              secret<&Options::admin_key>, Shape::secret},
    OptionRow{"threads", "PENSTOCK_THREADS", "", "event loops; default: half of the cores",
              threads},
    OptionRow{"commit-mode", "PENSTOCK_COMMIT_MODE", "batch",
              "batch: commands share commits; single: each commits alone", commit_mode},
    OptionRow{"lanes", "PENSTOCK_LANES", "2", "writers per thread, in batch mode",
              integer<&Options::lanes, 1, 64>},
    OptionRow{"single-connections", "PENSTOCK_SINGLE_CONNECTIONS", "8",
              "writers over all threads, in single mode",
              integer<&Options::single_connections, 1, 256>},
    OptionRow{"batch-items", "PENSTOCK_BATCH_ITEMS", "256", "commands that fill a batch",
              integer<&Options::batch_items, 1, 10'000>},
    OptionRow{
        "batch-delay-ms", "PENSTOCK_BATCH_DELAY_MS", "0",
        "how long a command may wait for company, even of a free writer; 0: that takes what is "
        "there",
        duration<&Options::batch_delay, 0, 1'000>},
    OptionRow{"queue-items", "PENSTOCK_QUEUE_ITEMS", "8192",
              "commands that may wait per writer, a bulk counted by its items, credits by "
              "their entries; more are answered 503",
              integer<&Options::queue_items, 1, 1'000'000>},
    OptionRow{"read-connections", "PENSTOCK_READ_CONNECTIONS", "2", "per thread",
              integer<&Options::read_connections, 1, 64>},
    OptionRow{"no-migrate", "PENSTOCK_NO_MIGRATE", "false",
              "check the schema at start instead of bringing it up to date",
              flag<&Options::no_migrate>, Shape::flag},
    OptionRow{"request-timeout-ms", "PENSTOCK_REQUEST_TIMEOUT_MS", "10000",
              "how long a request may take that does not say so itself",
              duration<&Options::request_timeout, 1, 600'000>},
    OptionRow{"key-retention-h", "PENSTOCK_KEY_RETENTION_H", "24",
              "how long an Idempotency-Key is remembered",
              duration<&Options::key_retention, 1, 8'760>},
    OptionRow{"hold-expiry-ms", "PENSTOCK_HOLD_EXPIRY_MS", "500",
              "between two looks for holds that are due, on average",
              duration<&Options::hold_expiry_interval, 10, 60'000>},
    OptionRow{"hold-expiry-items", "PENSTOCK_HOLD_EXPIRY_ITEMS", "256",
              "due holds that one look ends", integer<&Options::hold_expiry_items, 1, 8'192>},
    OptionRow{"job-workers", "PENSTOCK_JOB_WORKERS", "4",
              "background jobs at once; 0: this server does none",
              integer<&Options::job_workers, 0, 256>},
    OptionRow{"job-lease-ms", "PENSTOCK_JOB_LEASE_MS", "30000",
              "how long a dead server's jobs wait for another one",
              duration<&Options::job_lease, 100, 3'600'000>},
    OptionRow{"job-poll-ms", "PENSTOCK_JOB_POLL_MS", "30000",
              "how often the queue is looked at although nothing was announced",
              duration<&Options::job_poll, 100, 3'600'000>},
    OptionRow{"job-retry-ms", "PENSTOCK_JOB_RETRY_MS", "1000",
              "longest pause before a job's second attempt; doubles with each",
              duration<&Options::job_retry, 1, 300'000>},
    OptionRow{"job-retention-h", "PENSTOCK_JOB_RETENTION_H", "168",
              "how long completed jobs, reports among them, are kept",
              duration<&Options::job_retention, 1, 87'600>},
    OptionRow{"dead-letter-retention-h", "PENSTOCK_DEAD_LETTER_RETENTION_H", "2160",
              "how long dead letters are kept",
              duration<&Options::dead_letter_retention, 1, 87'600>},
    OptionRow{"exports-at-once", "PENSTOCK_EXPORTS_AT_ONCE", "2",
              "of the background jobs at once, those that may write exports",
              integer<&Options::exports_at_once, 1, 64>},
    OptionRow{"export-chunk-bytes", "PENSTOCK_EXPORT_CHUNK_BYTES", "1048576",
              "of an export's file that one commit writes, about",
              integer<&Options::export_chunk_bytes, 4'096, 16'777'216>},
    OptionRow{"export-retention-h", "PENSTOCK_EXPORT_RETENTION_H", "168",
              "how long an export can be downloaded",
              duration<&Options::export_retention, 1, 87'600>},
    OptionRow{"export-care-ms", "PENSTOCK_EXPORT_CARE_MS", "5000",
              "between looks for exports that have failed or expired",
              duration<&Options::export_care_interval, 10, 3'600'000>},
    OptionRow{"export-link-min", "PENSTOCK_EXPORT_LINK_MIN", "60",
              "how long a link to download an export is good",
              duration<&Options::export_link_ttl, 1, 10'080>},
    OptionRow{"export-signing-key", "PENSTOCK_EXPORT_SIGNING_KEY", "",
              "what signs these links, 16 characters at least; default: a secret that the "
              "database keeps for all of its servers",
              secret<&Options::export_signing_key>, Shape::secret},
    OptionRow{"purge-interval-ms", "PENSTOCK_PURGE_INTERVAL_MS", "60000",
              "between looks for rows that nobody can ask for any more",
              duration<&Options::purge_interval, 100, 86'400'000>},
    OptionRow{"purge-items", "PENSTOCK_PURGE_ITEMS", "1000", "rows that a purge removes at a time",
              integer<&Options::purge_items, 1, 100'000>},
    OptionRow{"edge", "PENSTOCK_EDGE", "on",
              "on: repetitions of a request are answered from Redis, where there is one",
              on_or_off<&Options::edge>},
    OptionRow{"edge-lease-ms", "PENSTOCK_EDGE_LEASE_MS", "3000",
              "how long the keys of a crashed server are answered 409 by the others",
              duration<&Options::edge_lease, 100, 60'000>},
    OptionRow{"edge-answer-ttl-ms", "PENSTOCK_EDGE_ANSWER_TTL_MS", "60000",
              "how long Redis keeps an answer; afterwards the database repeats it",
              duration<&Options::edge_answer_ttl, 100, 86'400'000>},
    OptionRow{"edge-wait-ms", "PENSTOCK_EDGE_WAIT_MS", "5",
              "how long a request waits for Redis before it goes on without",
              duration<&Options::edge_wait, 1, 10'000>},
    OptionRow{"edge-join-ms", "PENSTOCK_EDGE_JOIN_MS", "250",
              "how long a repetition waits for the answer of a request in flight, before its 409",
              duration<&Options::edge_join, 0, 60'000>},
    OptionRow{"edge-body-bytes", "PENSTOCK_EDGE_BODY_BYTES", "16384",
              "longer answers are left to the database",
              integer<&Options::edge_body_bytes, 0, 1'048'576>},
    OptionRow{"gate", "PENSTOCK_GATE", "on",
              "on: orders that a sale cannot take are refused by Redis, where there is one",
              on_or_off<&Options::gate>},
    OptionRow{"gate-lease-ms", "PENSTOCK_GATE_LEASE_MS", "10000",
              "how long units stay reserved for an order of which nothing is heard",
              duration<&Options::gate_lease, 100, 600'000>},
    OptionRow{"gate-wait-ms", "PENSTOCK_GATE_WAIT_MS", "100",
              "how long an order waits for Redis before the database decides alone",
              duration<&Options::gate_wait, 1, 10'000>},
    OptionRow{"gate-build-wait-ms", "PENSTOCK_GATE_BUILD_WAIT_MS", "250",
              "the same, while a sale's gate is built from the database",
              duration<&Options::gate_build_wait, 0, 10'000>},
    OptionRow{"gate-memory-ms", "PENSTOCK_GATE_MEMORY_MS", "100",
              "how long a server believes that a sale is sold out without asking Redis again",
              duration<&Options::gate_memory, 0, 10'000>},
    OptionRow{"gate-unsent", "PENSTOCK_GATE_UNSENT", "4096",
              "orders that wait to be told to Redis, per thread; more: the gate is built anew",
              integer<&Options::gate_unsent, 1, 1'000'000>},
    OptionRow{"reconcile-every-ms", "PENSTOCK_RECONCILE_EVERY_MS", "10000",
              "between two comparisons of the gates with the database, on average",
              duration<&Options::reconcile_interval, 100, 3'600'000>},
    OptionRow{"hot-wait-ms", "PENSTOCK_HOT_WAIT_MS", "1000",
              "how long a post on a hot ledger waits for Redis, before its 503",
              duration<&Options::hot_wait, 10, 60'000>},
    OptionRow{"hot-open-wait-ms", "PENSTOCK_HOT_OPEN_WAIT_MS", "2000",
              "the same, while the ledger is opened: at first, and after a restart of Redis",
              duration<&Options::hot_open_wait, 0, 60'000>},
    OptionRow{"hot-undrained-max", "PENSTOCK_HOT_UNDRAINED_MAX", "100000",
              "transfers and holds of a hot ledger that the database may lack; then posts are 503",
              integer<&Options::hot_undrained_max, 1, 10'000'000>},
    OptionRow{"hot-memory-percent", "PENSTOCK_HOT_MEMORY_PERCENT", "80",
              "of Redis's maxmemory; above it posts on hot ledgers are answered 503",
              integer<&Options::hot_memory_percent, 1, 100>},
    OptionRow{"hot-drain-items", "PENSTOCK_HOT_DRAIN_ITEMS", "512",
              "transfers and holds of a journal that fill a batch on their way to the database",
              integer<&Options::hot_drain_items, 1, 10'000>},
    OptionRow{"hot-drain-delay-ms", "PENSTOCK_HOT_DRAIN_DELAY_MS", "5",
              "how long the first of them may wait for company",
              duration<&Options::hot_drain_delay, 0, 1'000>},
    OptionRow{"hot-idle-ms", "PENSTOCK_HOT_IDLE_MS", "5000",
              "after how long the part of a journal that a server has read and not written is "
              "taken over by another",
              duration<&Options::hot_idle, 100, 600'000>},
    OptionRow{"hot-sync-items", "PENSTOCK_HOT_SYNC_ITEMS", "512",
              "accounts of a hot ledger whose balances are written to the database at once",
              integer<&Options::hot_sync_items, 1, 10'000>},
    OptionRow{"hot-sync-delay-ms", "PENSTOCK_HOT_SYNC_DELAY_MS", "200",
              "how long an account's balance there may be an older one before it is looked at",
              duration<&Options::hot_sync_delay, 0, 600'000>},
    OptionRow{"hot-sync-age-ms", "PENSTOCK_HOT_SYNC_AGE_MS", "100",
              "how long the first of a batch of balances may wait for company",
              duration<&Options::hot_sync_age, 0, 60'000>},
    OptionRow{"hot-lease-ms", "PENSTOCK_HOT_LEASE_MS", "5000",
              "how long the balances that a dead server was about to write wait for another one",
              duration<&Options::hot_lease, 100, 600'000>},
    OptionRow{"hot-look-ms", "PENSTOCK_HOT_LOOK_MS", "1000",
              "between two looks for hot ledgers that came or went, and for the state of Redis",
              duration<&Options::hot_look_interval, 10, 600'000>},
    OptionRow{"cors-origins", "PENSTOCK_CORS_ORIGINS", "",
              "web origins that may read answers, separated by commas, or *", cors_origins},
    OptionRow{"tls-certificate", "PENSTOCK_TLS_CERTIFICATE", "", "a PEM file with the chain",
              text<&Options::tls_certificate>},
    OptionRow{"tls-key", "PENSTOCK_TLS_KEY", "", "a PEM file with the private key",
              text<&Options::tls_key>},
    OptionRow{"connections-max", "PENSTOCK_CONNECTIONS_MAX", "20000", "of clients, per thread",
              integer<&Options::connections_max, 1, 1'000'000>},
    OptionRow{"idle-timeout-ms", "PENSTOCK_IDLE_TIMEOUT_MS", "75000",
              "how long a client's connection may be silent between requests",
              duration<&Options::idle_timeout, 100, 3'600'000>},
    OptionRow{"drain-timeout-ms", "PENSTOCK_DRAIN_TIMEOUT_MS", "15000",
              "how long a stopping server waits for requests in flight",
              duration<&Options::drain_timeout, 0, 600'000>},
    OptionRow{"rate-limit-read", "PENSTOCK_RATE_LIMIT_READ", "",
              "reads per key, as 1000/s,burst=2000; default: not limited", rate<RateClass::read>},
    OptionRow{"rate-limit-write", "PENSTOCK_RATE_LIMIT_WRITE", "",
              "changes per key, as 100/s,burst=200", rate<RateClass::write>},
    OptionRow{"rate-limit-bulk", "PENSTOCK_RATE_LIMIT_BULK", "",
              "requests with thousands of items per key, as 60/min", rate<RateClass::bulk>},
    OptionRow{"rate-limit-admin", "PENSTOCK_RATE_LIMIT_ADMIN", "",
              "requests for scope admin per key; the only limit of keys that have that scope",
              rate<RateClass::admin>},
    OptionRow{"rate-limit-user", "PENSTOCK_RATE_LIMIT_USER", "",
              "orders per end user, whichever key they come with", rate<RateClass::user>},
    OptionRow{"rate-limit-address", "PENSTOCK_RATE_LIMIT_ADDRESS", "",
              "orders per client address, whichever key they come with", rate<RateClass::address>},
    OptionRow{"rate-limit-wait-ms", "PENSTOCK_RATE_LIMIT_WAIT_MS", "5",
              "how long to wait for Redis before a server counts alone",
              duration<&Options::rate_limit_wait, 1, 10'000>},
    OptionRow{"rate-limit-subjects", "PENSTOCK_RATE_LIMIT_SUBJECTS", "65536",
              "keys, addresses and users remembered per thread",
              integer<&Options::rate_limit_subjects, 1, 10'000'000>},
    OptionRow{"sale-watchers-max", "PENSTOCK_SALE_WATCHERS_MAX", "10000",
              "clients that watch sales, per thread; more are answered 503",
              integer<&Options::sale_watchers_max, 0, 1'000'000>},
    OptionRow{"sale-heartbeat-ms", "PENSTOCK_SALE_HEARTBEAT_MS", "15000",
              "how long a watched sale may be silent before a sign of life is sent",
              duration<&Options::sale_heartbeat, 100, 3'600'000>},
    OptionRow{"log-level", "PENSTOCK_LOG_LEVEL", "info", "debug, info, warning, error or off",
              log_level},
    OptionRow{"ledger", "PENSTOCK_LEDGER", "", "verify, repair: one ledger by name; default: all",
              text<&Options::ledger>},
    OptionRow{"organization", "PENSTOCK_ORGANIZATION", "",
              "verify, repair: ledgers of one organization, by its id; default: all",
              text<&Options::organization>},
    OptionRow{"address", "PENSTOCK_ADDRESS", "",
              "repair: lots of one address of --ledger; default: all", text<&Options::address>},
    OptionRow{"from", "PENSTOCK_FROM", "",
              "backfill, parity: the database that is right; default: --database-url",
              text<&Options::move_from>, Shape::secret},
    OptionRow{"to", "PENSTOCK_TO", "", "backfill, parity: the other one; default: --shadow-store",
              text<&Options::move_to>, Shape::secret},
    OptionRow{"rows-per-s", "PENSTOCK_ROWS_PER_S", "0",
              "backfill, parity: rows looked at per second; 0: as fast as it goes",
              integer<&Options::rows_per_s, 0, 100'000'000>},
    OptionRow{"restart", "PENSTOCK_RESTART", "false",
              "backfill: from the beginning, not where it was interrupted", flag<&Options::restart>,
              Shape::flag},
    OptionRow{"settle-ms", "PENSTOCK_SETTLE_MS", "10000",
              "parity: how long a difference may be one that is still on its way",
              duration<&Options::settle, 0, 600'000>},
    OptionRow{"hold-ms", "PENSTOCK_HOLD_MS", "2000",
              "parity: how long a row that changes all the time may be locked to compare it",
              duration<&Options::hold, 0, 60'000>},
    OptionRow{"differences", "PENSTOCK_DIFFERENCES", "20",
              "parity: how many differences are named before it stops looking",
              integer<&Options::differences, 1, 10'000>},
    OptionRow{"pages", "PENSTOCK_PAGES", "20", "parity: pages of each list that are walked",
              integer<&Options::pages, 1, 1'000'000>},
    OptionRow{"sample", "PENSTOCK_SAMPLE", "20",
              "parity: accounts and references of each ledger, and users of each product, whose "
              "own lists are walked",
              integer<&Options::sample, 1, 1'000'000>},
    OptionRow{"keys", "PENSTOCK_KEYS", "500",
              "parity: idempotency keys of each table whose answers are compared",
              integer<&Options::keys, 0, 10'000'000>},
    OptionRow{"url", "PENSTOCK_URL", "http://127.0.0.1:8080/readyz",
              "healthcheck: what must answer 200", text<&Options::url>},
    OptionRow{"format", "PENSTOCK_FORMAT", "plain", "options: plain or markdown", format},
    OptionRow{"batch", "PENSTOCK_BATCH", "500", "measure: transfers per commit",
              integer<&Options::measure_batch, 1, 10'000>},
    OptionRow{"seconds", "PENSTOCK_SECONDS", "5", "measure: how long",
              integer<&Options::measure_seconds, 1, 3'600>},
    OptionRow{"accounts", "PENSTOCK_ACCOUNTS", "10000", "measure: how many take part",
              integer<&Options::measure_accounts, 2, 10'000'000>},
};

OptionRow const& row_named(std::string_view name) {
    for (auto const& row : table)
        if (row.name == name) return row;
    throw UnusableOptions("There is no option --" + std::string(name) +
                          "; `penstock options` lists them");
}

/// What the arguments say, by option.
std::map<std::string_view, std::string> read_arguments(std::span<std::string const> arguments) {
    std::map<std::string_view, std::string> given;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        std::string_view const argument = arguments[i];
        if (!argument.starts_with("--"))
            throw UnusableOptions("`" + arguments[i] + "` is not an option");
        auto const equals = argument.find('=');
        auto const& row =
            row_named(argument.substr(2, equals == argument.npos ? equals : equals - 2));
        std::string value;
        if (equals != argument.npos) {
            value = argument.substr(equals + 1);
        } else if (row.shape == Shape::flag) {
            value = "true";
        } else if (i + 1 < arguments.size()) {
            value = arguments[++i];
        } else {
            throw UnusableOptions("Option --" + std::string(row.name) + " lacks its value");
        }
        if (!given.emplace(row.name, value).second)
            throw UnusableOptions("Option --" + std::string(row.name) + " is given twice");
    }
    return given;
}

std::string shown(OptionRow const& row, std::string const& value) {
    if (row.shape != Shape::secret || value.empty()) return value;
    return value.find("://") != value.npos ? masked_url(value) : "***";
}

/// What only makes sense, or none, together.
void check_together(Options const& options) {
    if (options.tls_certificate.empty() != options.tls_key.empty())
        throw UnusableOptions("--tls-certificate and --tls-key need each other");
    if (options.queue_items < options.batch_items)
        throw UnusableOptions("--queue-items must be at least --batch-items");
    if (options.database_url.empty() && !options.shadow_store.empty())
        throw UnusableOptions("--shadow-store needs --database-url");
    if (options.shadow_store.empty() && options.read_from == db::ReadFrom::shadow)
        throw UnusableOptions("--read-from shadow needs --shadow-store");
}

}  // namespace

std::span<OptionRow const> option_table() { return table; }

Environment process_environment() {
    return [](std::string_view name) -> std::optional<std::string> {
        char const* const value = std::getenv(std::string(name).c_str());
        if (value == nullptr) return std::nullopt;
        return value;
    };
}

Options parse_options(std::span<std::string const> arguments, Environment const& environment) {
    auto const given = read_arguments(arguments);
    Options options;
    for (auto const& row : table) {
        auto origin = Origin::fallback;
        std::string value(row.fallback);
        std::string where = "--" + std::string(row.name);
        if (auto const argument = given.find(row.name); argument != given.end()) {
            origin = Origin::argument;
            value = argument->second;
        } else if (auto from = environment(row.environment); from && !from->empty()) {
            origin = Origin::environment;
            value = *from;
            where = row.environment;
        }
        // A secret that cannot be used is not quoted either: it may be one character off.
        if (auto const wanted = row.parse(options, value)) {
            auto const quoted = row.shape == Shape::secret ? "" : ", not `" + value + "`";
            throw UnusableOptions(where + " must be " + *wanted + quoted);
        }
        options.effective.push_back({row.name, shown(row, value), origin});
    }
    check_together(options);
    return options;
}

std::string describe_options() {
    std::string out;
    for (auto const& row : table) {
        std::string line = "  --" + std::string(row.name);
        line.resize(std::max<std::size_t>(line.size() + 1, 24), ' ');
        line += row.environment;
        line.resize(std::max<std::size_t>(line.size() + 1, 54), ' ');
        line += row.help;
        if (!row.fallback.empty()) line += " [" + std::string(row.fallback) + "]";
        out += line + "\n";
    }
    return out;
}

std::string document_options() {
    std::string out =
        "# Options\n\n"
        "Every option is a flag (`--name value` or `--name=value`) and an environment variable; a "
        "flag wins over a variable, and a variable over the default. At its start the server logs "
        "what was set and whence, without secrets. An option that begins with the name of a "
        "command is read by that command; the others by `serve`, those about the database by "
        "every command that needs it.\n\n"
        "This page is what `penstock options --format markdown` prints.\n\n"
        "| option | variable | default | meaning |\n|---|---|---|---|\n";
    for (auto const& row : table) {
        out.append("| `--").append(row.name).append("` | `").append(row.environment).append("` |");
        if (!row.fallback.empty()) out.append(" `").append(row.fallback).append("`");
        out.append(" | ").append(row.help).append(" |\n");
    }
    return out;
}

std::string masked_url(std::string_view url) {
    auto const scheme = url.find("://");
    if (scheme == url.npos) return "***";
    auto const from = scheme + 3;
    auto const end = std::min(url.find_first_of("/?", from), url.size());
    auto const at = url.substr(0, end).rfind('@');
    auto const query = url.find('?');
    // A query may hold a password as well; nobody needs it in a log.
    auto const rest = query == url.npos ? "" : "?***";
    auto const body = url.substr(0, query);
    if (at == url.npos || at < from) {
        // An '@' further on may end a password that holds a slash.
        if (url.find('@', from) != url.npos) return std::string(url.substr(0, from)) + "***";
        return std::string(body) + rest;
    }
    auto const user = url.substr(from, std::min(url.find(':', from), at) - from);
    return std::string(url.substr(0, from)) + std::string(user) + ":***" +
           std::string(body.substr(at)) + rest;
}

bool is_loopback(std::string const& address) {
    error_code error;
    auto const parsed = asio::ip::make_address(address, error);
    return !error && parsed.is_loopback();
}

}  // namespace penstock::server
