#include "bench/movements.hpp"

#include "bench/ledger_view.hpp"
#include "bench/verdict.hpp"

namespace penstock::bench {

Movements::Movements(std::string name, ScenarioContext const& context, As as)
    : as_(as),
      ledgers_("bench-" + name + "-" + context.run_id, context.options),
      keys_(context.key_seed) {
    for (std::uint32_t i = 0; i < ledgers_.size(); ++i) {
        auto const path = ledger_path(ledgers_.books(i).ledger()) + "/" + name_of(as);
        routes_.emplace_back(context.target, path);
    }
}

void Movements::next(Call& call) {
    auto posting = ledgers_.choose();
    auto const& books = ledgers_.books(posting.book);
    body_.clear();
    if (as_ == As::purchases) {
        posting.kind = Kind::purchase;
        append_purchase(body_, books, posting);
    } else {
        append_transfer(body_, books, posting);
    }
    routes_[posting.book].write(call.bytes, body_, keys_);
    call.postings.assign(1, posting);
}

std::optional<std::string> Movements::on_answer(Call const& call, Response const& response) {
    auto const& posting = call.postings.front();
    auto& books = ledgers_.books(posting.book);
    if (as_ == As::purchases) return acknowledge_purchase(books, posting, response);
    books.acknowledge(posting);
    bool const same = has_integer(response.body, "amount", posting.amount) &&
                      has_text(response.body, "from", books.address(posting.from)) &&
                      has_text(response.body, "to", books.address(posting.to)) &&
                      has_text(response.body, "kind", "transfer");
    if (same) return std::nullopt;
    return "a transfer other than the one asked for: " + std::string(response.body);
}

}  // namespace penstock::bench
