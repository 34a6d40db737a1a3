// Do two databases answer the same?
#include "server/parity.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <functional>
#include <stdexcept>
#include <utility>

#include "db/credit_store.hpp"
#include "db/export_store.hpp"
#include "db/stream_store.hpp"
#include "domain/decide.hpp"
#include "reactor/deadline.hpp"
#include "reactor/task_group.hpp"
#include "server/render.hpp"

// g++ 12 inlines a coroutine's operator new but not its delete, and calls the pair mismatched.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace penstock::server {
namespace {

using namespace domain;

constexpr milliseconds look_again{50};

/// A page as a walk sees it: what names its items, in order; the last one is where it goes on.
using Names = std::vector<std::string>;

/// Reads the page behind an item; `after` is that item's name and holds all that its cursor does.
using ReadPage =
    std::function<asio::awaitable<Result<Names>>(db::Store&, std::optional<std::string> after)>;

/// One list: how it is called, and how it is read.
struct List {
    std::string name;
    ReadPage read;
};

template <class T>
T must(Result<T> result, std::string const& what) {
    if (!result) throw std::runtime_error(what + ": " + result.error().message());
    return std::move(*result);
}

template <class Id>
std::optional<Id> id_of(std::optional<std::string> const& text) {
    if (!text) return std::nullopt;
    return Id{Uuid::parse(*text).value()};
}

template <class T>
std::vector<T> const& items_of(std::vector<T> const& page) {
    return page;
}

template <class List>
auto const& items_of(List const& page) {
    return page.items;
}

/// Awaits a page and names its items.
template <class Page, class Name>
asio::awaitable<Result<Names>> named(asio::awaitable<Result<Page>> awaited, Name name) {
    auto const page = co_await std::move(awaited);
    if (!page) co_return page.error();
    Names names;
    for (auto const& item : items_of(*page)) names.push_back(name(item));
    co_return names;
}

auto const by_id = [](auto const& item) { return item.id.to_string(); };

class Walk {
public:
    Walk(db::Store& primary, db::Store& shadow, Instant now, ParityLimits limits)
        : primary_(primary),
          shadow_(shadow),
          begin_{now.ms - limits.margin.count()},
          limits_(limits) {}

    asio::awaitable<ListReport> run() {
        auto const first = organizations();
        co_await walk(first);
        std::optional<OrganizationId> after;
        for (;;) {
            auto page = co_await primary_.list_organizations(after, limits_.page_items, deadline());
            auto const all = must(std::move(page), "organizations");
            for (auto const& one : all) co_await walk_organization(one);
            if (all.size() < limits_.page_items || enough()) co_return std::move(report_);
            after = all.back().id;
        }
    }

private:
    SteadyTime deadline() const { return steady_now() + limits_.step_max; }
    bool enough() const { return report_.differences.size() >= limits_.differences_max; }

    /// Newest first begins behind what may be on its way.
    template <class Id>
    Id before(std::optional<std::string> const& after) const {
        auto const id = id_of<Id>(after);
        return id ? *id : Id{first_uuid7(begin_)};
    }

    asio::awaitable<void> walk_organization(Organization organization) {
        auto const name = organization.name + ": ";
        for (auto const& list : lists_of(organization.id, name)) co_await walk(list);
        co_await walk_products(organization.id, name);
        std::optional<std::string> after;
        for (;;) {
            auto page = co_await primary_.list_ledgers(organization.id, after, limits_.page_items,
                                                       deadline());
            auto const ledgers = must(std::move(page), name + "ledgers");
            for (auto const& ledger : ledgers) {
                if (enough()) co_return;
                co_await walk_ledger(ledger, name + ledger.name + ": ");
            }
            if (ledgers.size() < limits_.page_items) co_return;
            after = ledgers.back().name;
        }
    }

    asio::awaitable<void> walk_products(OrganizationId organization, std::string name) {
        auto page = co_await primary_.list_products(organization, std::nullopt, limits_.page_items,
                                                    deadline());
        auto const products = must(std::move(page), name + "products");
        for (auto const& product : products) {
            auto const orders = orders_of(product.id, name + "orders of " + product.id.to_string());
            co_await walk(orders);
        }
    }

    asio::awaitable<void> walk_ledger(Ledger ledger, std::string name) {
        for (auto const& list : lists_of(ledger, name)) co_await walk(list);
        // Lists by account, kind and reference: those of the accounts that come first.
        db::AccountPage wanted;
        wanted.limit = limits_.pages;
        auto page = co_await primary_.list_accounts(ledger.id, wanted, deadline());
        auto accounts = must(std::move(page), name + "accounts");
        wanted.prefix = "@";
        auto system = co_await primary_.list_accounts(ledger.id, wanted, deadline());
        auto const own = must(std::move(system), name + "system accounts");
        accounts.insert(accounts.end(), own.begin(), own.end());
        for (auto const& account : accounts) {
            if (enough()) co_return;
            for (auto const& list :
                 lists_of(ledger, account.address, name + account.address + ": "))
                co_await walk(list);
        }
    }

    /// Until the list or the pages end, or a page is not the same in both.
    asio::awaitable<void> walk(List list) {
        ++report_.lists;
        std::optional<std::string> after;
        for (std::size_t page = 0; page < limits_.pages && !enough(); ++page) {
            auto const settled_by = steady_now() + limits_.settle;
            Names ours, theirs;
            for (;;) {
                auto there = co_await list.read(shadow_, after);
                theirs = must(std::move(there), list.name + " in the shadow");
                auto here = co_await list.read(primary_, after);
                ours = must(std::move(here), list.name);
                if (ours == theirs || steady_now() >= settled_by) break;
                bool const awake = co_await reactor::sleep_until(steady_now() + look_again);
                if (!awake) co_return;
            }
            ++report_.pages;
            report_.items += ours.size();
            if (ours != theirs) {
                note(list.name, page, ours, theirs);
                co_return;
            }
            if (ours.empty()) co_return;
            after = ours.back();
        }
    }

    void note(std::string const& list, std::size_t page, Names const& ours, Names const& theirs) {
        auto const [here, there] =
            std::mismatch(ours.begin(), ours.end(), theirs.begin(), theirs.end());
        auto const shown = [](auto at, Names const& names) {
            return at == names.end() ? std::string("the end") : *at;
        };
        auto const place = std::to_string(here - ours.begin() + 1);
        report_.differences.push_back({"list", list,
                                       "page " + std::to_string(page + 1) + ", item " + place +
                                           ": " + shown(here, ours) + ", in the shadow " +
                                           shown(there, theirs)});
    }

    List organizations() const {
        auto const read = [this](db::Store& store, std::optional<std::string> after) {
            return named(store.list_organizations(id_of<OrganizationId>(after), limits_.page_items,
                                                  deadline()),
                         by_id);
        };
        return {"organizations", read};
    }

    std::vector<List> lists_of(OrganizationId id, std::string const& name) const {
        auto const keys = [this, id](db::Store& store, std::optional<std::string> after) {
            return named(
                store.list_api_keys(id, id_of<ApiKeyId>(after), limits_.page_items, deadline()),
                by_id);
        };
        auto const ledgers = [this, id](db::Store& store, std::optional<std::string> after) {
            return named(store.list_ledgers(id, after, limits_.page_items, deadline()),
                         [](Ledger const& ledger) { return ledger.name; });
        };
        auto const products = [this, id](db::Store& store, std::optional<std::string> after) {
            return named(
                store.list_products(id, before<ProductId>(after), limits_.page_items, deadline()),
                by_id);
        };
        auto const activity = [this, id](db::Store& store, std::optional<std::string> after) {
            db::ActivityPage page;
            page.before = before<EventId>(after);
            page.limit = limits_.page_items;
            return named(store.list_activity(id, page, deadline()), by_id);
        };
        auto const exports = [this, id](db::Store& store, std::optional<std::string> after) {
            db::ExportPage page;
            page.organization = id;
            page.before = before<ExportId>(after);
            page.limit = limits_.page_items;
            return named(store.exports().list(page, deadline()), by_id);
        };
        auto const jobs = [this, id](db::Store& store, std::optional<std::string> after) {
            db::JobPage page;
            page.organization = id;
            page.before = before<JobId>(after);
            page.limit = limits_.page_items;
            return named(store.jobs().list(page, deadline()), by_id);
        };
        return {{name + "keys", keys},         {name + "ledgers", ledgers},
                {name + "products", products}, {name + "activity", activity},
                {name + "jobs", jobs},         {name + "exports", exports}};
    }

    List orders_of(ProductId product, std::string name) const {
        auto const read = [this, product](db::Store& store, std::optional<std::string> after) {
            db::OrderPage page;
            page.before = before<OrderId>(after);
            page.limit = limits_.page_items;
            return named(store.list_orders(product, page, deadline()), by_id);
        };
        return {std::move(name), read};
    }

    std::vector<List> lists_of(Ledger const& ledger, std::string const& name) const {
        auto const id = ledger.id;
        auto const accounts = [this, id](db::Store& store, std::optional<std::string> after) {
            db::AccountPage page;
            page.after = after;
            page.limit = limits_.page_items;
            return named(store.list_accounts(id, page, deadline()),
                         [](Account const& account) { return account.address; });
        };
        std::vector<List> lists{{name + "accounts", accounts},
                                {name + "transfers", transfers(id, std::nullopt)}};
        for (auto const kind : {TransferKind::deposit, TransferKind::transfer,
                                TransferKind::royalty_author, TransferKind::capture})
            lists.push_back({name + "transfers of one kind", transfers(id, kind)});
        auto const purchases = [this, id](db::Store& store, std::optional<std::string> after) {
            db::PurchasePage page;
            page.before = before<PurchaseId>(after);
            page.limit = limits_.page_items;
            return named(store.list_purchases(id, page, deadline()), by_id);
        };
        lists.push_back({name + "purchases", purchases});
        auto const holds = [this, id](db::Store& store, std::optional<std::string> after) {
            db::HoldPage page;
            page.before = before<HoldId>(after);
            page.limit = limits_.page_items;
            return named(store.list_holds(id, page, deadline()), by_id);
        };
        lists.push_back({name + "holds", holds});
        auto const streams = [this, id](db::Store& store, std::optional<std::string> after) {
            db::StreamPage page;
            page.before = before<StreamId>(after);
            page.limit = limits_.page_items;
            return streams_by_id(store, id, page);
        };
        lists.push_back({name + "streams", streams});
        if (ledger.kind != LedgerKind::credits) return lists;
        for (auto& list : credit_lists(id, name)) lists.push_back(std::move(list));
        return lists;
    }

    ReadPage transfers(LedgerId id, std::optional<TransferKind> kind) const {
        return [this, id, kind](db::Store& store, std::optional<std::string> after) {
            db::TransferPage page;
            page.kind = kind;
            page.before_id = before<TransferId>(after);
            page.limit = limits_.page_items;
            return transfers_by_id(store, id, page);
        };
    }

    asio::awaitable<Result<Names>> transfers_by_id(db::Store& store, LedgerId id,
                                                   db::TransferPage page) const {
        auto const list = co_await store.list_transfers(id, page, deadline());
        if (!list) co_return list.error();
        Names names;
        for (auto const& one : list->items) names.push_back(one.id.to_string());
        co_return names;
    }

    asio::awaitable<Result<Names>> streams_by_id(db::Store& store, LedgerId id,
                                                 db::StreamPage page) const {
        auto const list = co_await store.streams().list_streams(id, page, deadline());
        if (!list) co_return list.error();
        Names names;
        for (auto const& one : list->items) names.push_back(one.id.to_string());
        co_return names;
    }

    std::vector<List> credit_lists(LedgerId id, std::string const& name) const {
        auto const balances = [this, id](db::Store& store, std::optional<std::string> after) {
            db::CreditBalancePage page;
            page.at = begin_;
            page.after = after;
            page.limit = limits_.page_items;
            return named(store.credits().list_balances(id, page, deadline()),
                         [](db::CreditBalance const& one) { return one.address; });
        };
        auto const history = [this, id](db::Store& store, std::optional<std::string> after) {
            db::CreditHistoryPage page;
            page.before = LotPlace{before<CreditOperationId>(after), INT32_MIN};
            page.to = begin_;
            if (after) page.before = lot_place(*after);
            page.limit = limits_.page_items;
            return named(store.credits().list_history(id, page, deadline()),
                         [](CreditEntry const& one) {
                             return one.operation.to_string() + std::to_string(one.index);
                         });
        };
        return {{name + "credit balances", balances}, {name + "credit history", history}};
    }

    /// Of a name that is an operation and an index.
    static LotPlace lot_place(std::string const& name) {
        constexpr std::size_t id_size = 36;
        return {CreditOperationId{Uuid::parse(name.substr(0, id_size)).value()},
                std::stoi(name.substr(id_size))};
    }

    /// What one account is a party to. Its entries are named by their versions, which have no gap.
    std::vector<List> lists_of(Ledger const& ledger, std::string const& address,
                               std::string const& name) const {
        AccountName const account{ledger.id, address};
        auto const id = ledger.id;
        auto const entries = [this, account](db::Store& store, std::optional<std::string> after) {
            db::EntryPage page;
            page.before = db::Booking{begin_, INT64_MIN};
            if (after) page.before = booking(*after);
            page.limit = limits_.page_items;
            return named(
                store.list_entries(account, page, deadline()), [account](Transfer const& one) {
                    auto const place = db::booking_of(one, account.address);
                    return std::to_string(place.at.ms) + '/' + std::to_string(place.version);
                });
        };
        auto const purchases = [this, id, address](db::Store& store,
                                                   std::optional<std::string> after) {
            db::PurchasePage page;
            page.buyer = address;
            page.before = before<PurchaseId>(after);
            page.limit = limits_.page_items;
            return named(store.list_purchases(id, page, deadline()), by_id);
        };
        auto const sales = [this, id, address](db::Store& store, std::optional<std::string> after) {
            db::PurchasePage page;
            page.author = address;
            page.before = before<PurchaseId>(after);
            page.limit = limits_.page_items;
            return named(store.list_purchases(id, page, deadline()), by_id);
        };
        auto const holds = [this, id, address](db::Store& store, std::optional<std::string> after) {
            db::HoldPage page;
            page.account = address;
            page.before = before<HoldId>(after);
            page.limit = limits_.page_items;
            return named(store.list_holds(id, page, deadline()), by_id);
        };
        return {{name + "entries", entries},
                {name + "purchases", purchases},
                {name + "sales", sales},
                {name + "holds", holds}};
    }

    static db::Booking booking(std::string const& name) {
        auto const slash = name.find('/');
        return {Instant{std::stoll(name.substr(0, slash))}, std::stoll(name.substr(slash + 1))};
    }

    db::Store& primary_;
    db::Store& shadow_;
    Instant begin_;
    ParityLimits limits_;
    ListReport report_;
};

/// A writer with its connection, for as long as a comparison lasts.
class Reader {
public:
    Reader(asio::any_io_executor executor, db::Store& store)
        : writer_(store.make_writer()), life_(executor) {
        life_.spawn(writer_->run());
    }

    /// The answer to each key's request, as a server would give it again.
    asio::awaitable<std::map<IdempotencyKey, std::string>> answers(std::set<IdempotencyKey> keys,
                                                                   SteadyTime deadline) {
        KeySet wanted;
        wanted.keys = std::move(keys);
        auto loaded = co_await writer_->load(std::move(wanted), deadline);
        if (!loaded) throw std::runtime_error("keys: " + loaded.error().message());
        co_await writer_->abandon();
        std::vector<KeyUse> uses;
        for (auto const& [key, record] : loaded->keys) uses.push_back({key, record.fingerprint});
        WorkingSet set(std::move(*loaded), Stamp(), Instant());
        std::map<IdempotencyKey, std::string> bodies;
        for (auto const& use : uses) {
            Envelope envelope;
            envelope.key_use = use;
            auto const outcome = domain::decide(set, envelope);
            auto const* receipt = std::get_if<Receipt>(&outcome);
            // A ledger's name cannot differ without its row.
            if (receipt) bodies.emplace(use.key, body_of(*receipt, "ledger"));
        }
        co_return bodies;
    }

    asio::awaitable<void> close() {
        life_.cancel();
        co_await life_.join();
    }

private:
    std::unique_ptr<db::Writer> writer_;
    reactor::TaskGroup life_;
};

std::string first_difference(std::string const& ours, std::string const& theirs) {
    auto const [here, there] =
        std::mismatch(ours.begin(), ours.end(), theirs.begin(), theirs.end());
    auto const at = static_cast<std::size_t>(here - ours.begin());
    constexpr std::size_t shown = 60;
    auto const from = at > shown / 2 ? at - shown / 2 : 0;
    return "answered with …" + ours.substr(from, shown) + "…, by the shadow with …" +
           theirs.substr(std::min(from, theirs.size()), shown) + "…";
}

asio::awaitable<void> compare_portion(Reader& primary, Reader& shadow,
                                      std::set<IdempotencyKey> keys, ParityLimits limits,
                                      ReplayReport& report) {
    auto const settled_by = steady_now() + limits.settle;
    std::map<IdempotencyKey, std::string> ours, theirs;
    for (;;) {
        theirs = co_await shadow.answers(keys, steady_now() + limits.step_max);
        ours = co_await primary.answers(keys, steady_now() + limits.step_max);
        if (ours == theirs || steady_now() >= settled_by) break;
        bool const awake = co_await reactor::sleep_until(steady_now() + look_again);
        if (!awake) co_return;
    }
    for (auto const& [key, body] : ours) {
        auto const found = theirs.find(key);
        if (found != theirs.end() && found->second == body) continue;
        auto what = found == theirs.end() ? "the shadow does not know it"
                                          : first_difference(body, found->second);
        report.differences.push_back({"key", key.to_string(), std::move(what)});
    }
    report.keys += keys.size();
}

}  // namespace

asio::awaitable<ListReport> compare_lists(db::Store& primary, db::Store& shadow, Instant now,
                                          ParityLimits limits) {
    Walk walk(primary, shadow, now, limits);
    co_return co_await walk.run();
}

asio::awaitable<ReplayReport> compare_replays(db::Store& primary, db::Store& shadow,
                                              std::vector<std::string> keys, ParityLimits limits) {
    auto const executor = co_await asio::this_coro::executor;
    Reader ours(executor, primary);
    Reader theirs(executor, shadow);
    ReplayReport report;
    std::exception_ptr failure;
    try {
        std::set<IdempotencyKey> portion;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            portion.insert(IdempotencyKey{Uuid::parse(keys[i]).value()});
            if (portion.size() < limits.page_items && i + 1 < keys.size()) continue;
            auto const wanted = std::exchange(portion, {});
            co_await compare_portion(ours, theirs, wanted, limits, report);
        }
    } catch (std::exception const&) {
        failure = std::current_exception();
    }
    co_await ours.close();
    co_await theirs.close();
    if (failure) std::rethrow_exception(failure);
    co_return report;
}

}  // namespace penstock::server
