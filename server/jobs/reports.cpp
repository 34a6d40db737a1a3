// Reports: what the job that writes one does.
#include "server/jobs/reports.hpp"

#include <boost/describe/enum_to_string.hpp>
#include <string_view>

#include "domain/report.hpp"
#include "server/http/json_reader.hpp"
#include "server/http/json_writer.hpp"
#include "server/render.hpp"

namespace penstock::server {
namespace {

constexpr milliseconds attempt_max{30'000};

/// What was booked of that kind, gross: a refund is a kind of its own and takes nothing away.
std::string booked(std::vector<domain::Total> const& totals, std::string_view kind) {
    domain::Sum sum = 0;
    for (auto const& total : totals)
        if (boost::describe::enum_to_string(total.kind, "") == kind) sum += total.amount;
    return decimal(sum);
}

std::string render(std::vector<domain::Total> const& totals, domain::Instant now) {
    std::string text;
    JsonWriter json(text);
    json.begin_object()
        .raw("total_deposited", booked(totals, "deposit"))
        .raw("total_purchase_volume", booked(totals, "purchase"))
        .raw("total_royalties_paid", booked(totals, "royalty_author"))
        .raw("platform_revenue", booked(totals, "royalty_platform"))
        .instant("generated_at", now.ms)
        .end_object();
    return text;
}

bool is_understood(domain::Job const& job) {
    JsonReader in(job.payload);
    in.text("ledger", 1, 63);
    in.choice("type", {domain::name_of(domain::ReportType::financial)});
    return in.finish() && job.ledger.has_value();
}

asio::awaitable<Result<std::string>> write_report(db::Store& store, Clock& clock, domain::Job job) {
    if (!is_understood(job)) co_return make_error_code(boost::system::errc::invalid_argument);
    auto const totals = co_await store.list_totals(*job.ledger, steady_now() + attempt_max);
    if (!totals) co_return totals.error();
    co_return render(*totals, clock.now());
}

}  // namespace

JobKind report_kind(db::Store& store, Clock& clock) {
    JobKind kind;
    kind.name = domain::report_job;
    kind.attempt_max = attempt_max;
    kind.handle = [&store, &clock](domain::Job job) {
        return write_report(store, clock, std::move(job));
    };
    return kind;
}

}  // namespace penstock::server
