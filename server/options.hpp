// What can be set from outside: one table, read once, and the typed values that follow from it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "db/read_from.hpp"
#include "reactor/result.hpp"
#include "server/engine.hpp"
#include "server/rate_limits.hpp"

namespace penstock::server {

/// What a command prints for: people at a terminal, or docs/options.md.
enum class TextFormat : std::uint8_t { plain, markdown };

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };

/// Where a value came from; the later ones win.
enum class Origin : std::uint8_t { fallback, environment, argument };

struct Options {
    // serve
    std::string listen_address;
    std::uint16_t listen_port = 0;
    std::string database_url;  ///< empty: the embedded store, which keeps nothing
    std::string shadow_store;  ///< empty: one database is all there is
    db::ReadFrom read_from = db::ReadFrom::primary;
    std::size_t shadow_queue_rows = 0;
    std::string redis_url;  ///< empty: without Redis
    std::string admin_key;  ///< empty: loopback only, and everyone is the operator
    std::size_t threads = 1;
    CommitMode commit_mode = CommitMode::batch;
    std::size_t lanes = 0;
    std::size_t single_connections = 0;
    std::size_t batch_items = 0;
    milliseconds batch_delay{0};
    std::size_t queue_items = 0;
    std::size_t read_connections = 0;
    bool no_migrate = false;
    milliseconds request_timeout{0};
    std::chrono::hours key_retention{0};
    milliseconds hold_expiry_interval{0};
    std::size_t hold_expiry_items = 0;
    milliseconds purge_interval{0};
    std::size_t purge_items = 0;
    bool edge = false;
    milliseconds edge_lease{0};
    milliseconds edge_answer_ttl{0};
    milliseconds edge_wait{0};
    milliseconds edge_join{0};
    std::size_t edge_body_bytes = 0;
    bool gate = false;
    milliseconds gate_lease{0};
    milliseconds gate_wait{0};
    milliseconds gate_build_wait{0};
    milliseconds gate_memory{0};
    std::size_t gate_unsent = 0;
    milliseconds reconcile_interval{0};
    milliseconds hot_wait{0};
    milliseconds hot_open_wait{0};
    std::size_t hot_undrained_max = 0;
    std::size_t hot_memory_percent = 0;
    std::size_t hot_drain_items = 0;
    milliseconds hot_drain_delay{0};
    milliseconds hot_idle{0};
    std::size_t hot_sync_items = 0;
    milliseconds hot_sync_delay{0};
    milliseconds hot_sync_age{0};
    milliseconds hot_lease{0};
    milliseconds hot_look_interval{0};
    std::vector<std::string> cors_origins;
    std::string tls_certificate;
    std::string tls_key;
    std::size_t connections_max = 0;
    milliseconds idle_timeout{0};
    milliseconds drain_timeout{0};
    RateLimits rate_limits;
    milliseconds rate_limit_wait{0};
    std::size_t rate_limit_subjects = 0;
    std::size_t sale_watchers_max = 0;
    milliseconds sale_heartbeat{0};
    std::size_t job_workers = 0;
    milliseconds job_lease{0};
    milliseconds job_poll{0};
    milliseconds job_retry{0};
    std::chrono::hours job_retention{0};
    std::chrono::hours dead_letter_retention{0};
    std::size_t exports_at_once = 0;
    std::size_t export_chunk_bytes = 0;
    std::chrono::hours export_retention{0};
    milliseconds export_care_interval{0};
    std::chrono::minutes export_link_ttl{0};
    std::string export_signing_key;
    LogLevel log_level = LogLevel::info;

    // the other commands
    std::string ledger;                     ///< verify, repair: empty means all
    std::string organization;               ///< verify, repair: by id; empty means all
    std::string address;                    ///< repair: empty means all
    std::string url;                        ///< healthcheck
    TextFormat format = TextFormat::plain;  ///< options
    std::string move_from;                  ///< backfill, parity; empty: database_url
    std::string move_to;                    ///< likewise; empty: shadow_store
    std::size_t rows_per_s = 0;
    bool restart = false;
    milliseconds settle{0};
    milliseconds hold{0};
    std::size_t differences = 0;
    std::size_t pages = 0;
    std::size_t sample = 0;
    std::size_t keys = 0;
    std::size_t measure_batch = 0;
    std::size_t measure_seconds = 0;
    std::size_t measure_accounts = 0;

    /// Every option as it stands, for the log; secrets are masked.
    struct Effective {
        std::string_view name;
        std::string shown;
        Origin origin = Origin::fallback;
    };
    std::vector<Effective> effective;
};

/// One row of the table. All text has static storage.
struct OptionRow {
    std::string_view name;         ///< "--" and this
    std::string_view environment;  ///< PENSTOCK_…
    std::string_view fallback;     ///< parsed like any value; "" where absence means something
    std::string_view help;
    /// What is wrong with the text; nothing when it was taken.
    std::optional<std::string> (*parse)(Options&, std::string_view text);
    enum class Shape : std::uint8_t { value, secret, flag };
    Shape shape = Shape::value;
};

std::span<OptionRow const> option_table();

/// Unusable options, in a sentence for whoever started the program.
class UnusableOptions : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// This process's environment.
Environment process_environment();

/// `--name value`, `--name=value` and `--flag`; then the environment; then defaults. Throws
/// UnusableOptions.
Options parse_options(std::span<std::string const> arguments, Environment const& environment);

/// The table as text, for `penstock options`.
std::string describe_options();

/// The same as a document: docs/options.md is this.
std::string document_options();

/// "postgresql://user:***@host/db": a URL whose password nobody sees.
std::string masked_url(std::string_view url);

bool is_loopback(std::string const& address);

}  // namespace penstock::server
