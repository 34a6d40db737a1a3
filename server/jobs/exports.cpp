// Exports: what the job that writes one does.
#include "server/jobs/exports.hpp"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "db/export_store.hpp"
#include "domain/export.hpp"
#include "reactor/deadline.hpp"
#include "server/digest.hpp"
#include "server/exports/reader.hpp"
#include "server/http/json_reader.hpp"
#include "server/http/json_writer.hpp"

namespace penstock::server {
namespace {

using Text = Result<std::string>;

constexpr std::size_t rows_first = 256;
constexpr std::size_t rows_least = 16;

error_code made(boost::system::errc::errc_t error) {
    return boost::system::errc::make_error_code(error);
}

/// Lets everything else that is ready have its turn.
asio::awaitable<void> give_way() {
    auto const executor = co_await asio::this_coro::executor;
    co_await asio::post(executor, asio::use_awaitable);
}

std::string result_of(domain::Export const& row) {
    std::string text;
    JsonWriter json(text);
    json.begin_object()
        .id("export", row.id.value.bytes)
        .member("rows", row.rows)
        .member("bytes", row.bytes)
        .end_object();
    return text;
}

/// One attempt to write an export, from where the last one left it.
class ExportWriting {
public:
    ExportWriting(db::Store& store, Clock& clock, ExportJobMetrics& metrics,
                  ExportJobOptions const& options, db::HeldJob held)
        : store_(store),
          exports_(store.exports()),
          clock_(clock),
          metrics_(metrics),
          options_(options),
          held_(held),
          id_{held.job.value},
          rows_wanted_(std::min(rows_first, options.rows_max)) {
        metrics_.running.set(metrics_.running.get() + 1);
    }
    ExportWriting(ExportWriting&&) = delete;
    ~ExportWriting() { metrics_.running.set(metrics_.running.get() - 1); }

    asio::awaitable<Text> run() {
        auto progress = co_await exports_.begin(held_, step_deadline());
        if (!progress) co_return progress.error();
        // Nothing to be written: it is ready, or expired, or the lease is another's, who will say.
        if (!*progress) co_return co_await known_result();
        row_ = std::move((*progress)->row);
        auto error = co_await prepare(std::move((*progress)->position));
        if (!error) error = co_await write_all();
        if (!error) error = co_await finish();
        if (error) co_return error;
        co_return result_of(row_);
    }

private:
    asio::awaitable<Text> known_result() {
        auto const found = co_await exports_.find(std::nullopt, id_, step_deadline());
        if (!found) co_return found.error();
        if (!*found) co_return std::string("null");
        auto const status = (*found)->status;
        bool const is_over =
            status == domain::ExportStatus::ready || status == domain::ExportStatus::expired;
        if (!is_over) co_return made(boost::system::errc::owner_dead);
        co_return result_of(**found);
    }

    /// Where to read on, and the digest of what is there already.
    asio::awaitable<error_code> prepare(std::optional<std::string> position) {
        if (!position) {
            text_ = export_header(row_.source, row_.format);
            digest_.update(text_);
            bool const awake = co_await pass_the_request();
            if (!awake) co_return made(boost::system::errc::operation_canceled);
            auto const error = co_await exports_.settle(steady_now() + options_.settle_max);
            // Whoever keeps a transaction open longer is not this program.
            if (error && error != reactor::Errc::deadline_exceeded) co_return error;
        } else {
            metrics_.resumed.add();
            auto const error = co_await digest_again();
            if (error) co_return error;
        }
        position_ = position.value_or("");
        reader_ = make_export_reader(store_, row_, position_);
        co_return error_code();
    }

    /// Until nothing more can be made in the millisecond of the request.
    asio::awaitable<bool> pass_the_request() {
        while (clock_.now() <= row_.requested_at()) {
            bool const awake = co_await reactor::sleep_until(steady_now() + milliseconds{1});
            if (!awake) co_return false;
        }
        co_return true;
    }

    asio::awaitable<error_code> digest_again() {
        for (std::int64_t at = 0; at < row_.bytes;) {
            auto const piece =
                co_await exports_.read(id_, at, options_.chunk_bytes, step_deadline());
            if (!piece) co_return piece.error();
            if (piece->empty()) co_return made(boost::system::errc::io_error);
            digest_.update(*piece);
            at += static_cast<std::int64_t>(piece->size());
        }
        co_return error_code();
    }

    /// While one page is rendered the next is read, and what was rendered before is written.
    asio::awaitable<error_code> write_all() {
        using namespace asio::experimental::awaitable_operators;
        for (;;) {
            co_await (read_ahead() && store_chunk() && render());
            if (failure_) co_return failure_;
            page_ = std::move(ahead_);
            bool const is_last = ended_ && !page_;
            bool const is_worth_it = text_.size() >= options_.chunk_bytes;
            if (is_worth_it || (is_last && !text_.empty())) take_chunk();
            if (is_last && !chunk_) co_return error_code();
        }
    }

    asio::awaitable<void> read_ahead() {
        if (ended_) co_return;
        auto page = co_await reader_->next(rows_wanted_, step_deadline());
        if (!page) {
            failure_ = page.error();
            co_return;
        }
        ahead_ = std::move(*page);
        ended_ = !ahead_;
    }

    asio::awaitable<void> store_chunk() {
        if (!chunk_) co_return;
        auto const bytes = chunk_->data.size();
        auto const rows = chunk_->rows;
        auto chunk = *std::exchange(chunk_, std::nullopt);
        auto const end = co_await exports_.append(held_, std::move(chunk), step_deadline());
        if (!end) {
            failure_ = end.error();
        } else if (*end == db::JobEnd::lost) {
            failure_ = made(boost::system::errc::owner_dead);
        } else {
            row_.bytes += static_cast<std::int64_t>(bytes);
            row_.rows += rows;
            metrics_.bytes.add(bytes);
            metrics_.rows.add(static_cast<std::uint64_t>(rows));
        }
    }

    asio::awaitable<void> render() {
        if (!page_) co_return;
        auto const before = text_.size();
        auto const rows = page_->size();
        for (std::size_t first = 0; first < rows; first += options_.slice_rows) {
            auto const begin = text_.size();
            page_->render(text_, first, std::min(rows, first + options_.slice_rows));
            digest_.update(std::string_view(text_).substr(begin));
            co_await give_way();
        }
        text_rows_ += static_cast<std::int64_t>(rows);
        position_ = page_->position;
        fit_pages(rows, text_.size() - before);
    }

    /// Pages grow while their rows are small, and shrink at once when they are not.
    void fit_pages(std::size_t rows, std::size_t bytes) {
        if (bytes > 2 * options_.chunk_bytes)
            rows_wanted_ = std::max(rows_least, rows * options_.chunk_bytes / bytes);
        else if (bytes < options_.chunk_bytes && rows == rows_wanted_)
            rows_wanted_ = std::min(options_.rows_max, 2 * rows_wanted_);
    }

    void take_chunk() {
        db::ExportChunk chunk;
        chunk.start = row_.bytes;
        chunk.rows = std::exchange(text_rows_, 0);
        chunk.data = std::exchange(text_, std::string());
        chunk.position = position_;
        text_.reserve(chunk.data.size() + chunk.data.size() / 4);
        chunk_ = std::move(chunk);
    }

    asio::awaitable<error_code> finish() {
        db::ExportEnd end;
        end.sha256 = digest_.hex();
        end.at = clock_.now();
        end.expires_at = {end.at.ms + milliseconds(options_.retention).count()};
        // The first id of its millisecond: a download in the same one stands behind it. The
        // request stands in an earlier one (pass_the_request).
        end.audit = {domain::first_uuid7(end.at)};
        auto const ended = co_await exports_.finish(held_, std::move(end), step_deadline());
        if (!ended) co_return ended.error();
        bool const is_lost = *ended == db::JobEnd::lost;
        co_return is_lost ? made(boost::system::errc::owner_dead) : error_code();
    }

    SteadyTime step_deadline() const { return steady_now() + options_.step_max; }

    db::Store& store_;
    db::ExportStore& exports_;
    Clock& clock_;
    ExportJobMetrics& metrics_;
    ExportJobOptions const& options_;
    db::HeldJob held_;
    domain::ExportId id_;
    domain::Export row_;
    std::unique_ptr<ExportReader> reader_;
    Sha256 digest_;
    error_code failure_;
    std::size_t rows_wanted_;
    std::unique_ptr<ExportRows> page_;   ///< being rendered
    std::unique_ptr<ExportRows> ahead_;  ///< read meanwhile
    bool ended_ = false;                 ///< the source has no more
    std::string text_;                   ///< rendered, in no chunk yet
    std::int64_t text_rows_ = 0;
    std::string position_;                  ///< behind the last row in text_
    std::optional<db::ExportChunk> chunk_;  ///< to be written
};

/// Whoever reads the queue sees what it is about; it is the job's own id.
bool is_understood(domain::Job const& job) {
    JsonReader in(job.payload);
    auto const id = in.text("export", 36, 36);
    return in.finish() && id == job.id.to_string() && job.lease;
}

asio::awaitable<Text> write_export(db::Store& store, Clock& clock, ExportJobMetrics& metrics,
                                   ExportJobOptions options, domain::Job job) {
    if (!is_understood(job)) co_return made(boost::system::errc::invalid_argument);
    db::HeldJob const held{job.id, *job.lease};
    ExportWriting writing(store, clock, metrics, options, held);
    co_return co_await writing.run();
}

}  // namespace

JobKind export_kind(db::Store& store, Clock& clock, ExportJobMetrics& metrics,
                    ExportJobOptions options) {
    JobKind kind;
    kind.name = domain::export_job;
    kind.at_once = options.at_once;
    kind.attempt_max = options.attempt_max;
    kind.handle = [&store, &clock, &metrics, options](domain::Job job) {
        return write_export(store, clock, metrics, options, std::move(job));
    };
    return kind;
}

}  // namespace penstock::server
