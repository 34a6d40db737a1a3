// Is everything decided in one place that contends for the same rows?
#include "server/place.hpp"

#include <boost/test/unit_test.hpp>

using namespace penstock;
using namespace penstock::domain;
using penstock::server::place_of;

namespace {

LedgerId const ledger{make_uuid7({1}, 0, 1)};
ProductId const product{make_uuid7({1}, 0, 2)};

std::size_t place(Command command) {
    Envelope envelope;
    envelope.organization = {make_uuid7({1}, 0, 3)};
    envelope.command = std::move(command);
    return place_of(envelope);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(places)

BOOST_AUTO_TEST_CASE(a_product_goes_with_the_ledger_of_its_payments) {
    SalePayment payment;
    payment.ledger = ledger;
    CreateProduct create;
    create.payment = PayInto{ledger, "main", "seller"};
    auto const home = place(MoveMoney{ledger, TransferKind::transfer, {}});
    BOOST_TEST(place(create) == home);
    BOOST_TEST(place(RestockProduct{product, 1, payment}) == home);
    BOOST_TEST(place(PlaceOrder{product, payment, "ann"}) == home);
    BOOST_TEST(place(CancelOrder{product, payment, std::nullopt}) == home);
}

BOOST_AUTO_TEST_CASE(a_product_without_payments_goes_by_itself) {
    auto const home = place(PlaceOrder{product, {}, "ann"});
    BOOST_TEST(place(PlaceOrder{product, {}, "ben"}) == home);
    BOOST_TEST(place(RestockProduct{product, 1, {}}) == home);
    BOOST_TEST(place(CancelOrder{product, {}, {}}) == home);
    BOOST_TEST(place(PlaceOrder{{make_uuid7({1}, 0, 4)}, {}, "ann"}) != home);
    BOOST_TEST(place(CreateProduct{}) == place(CreateOrganization{"x"}));
}

BOOST_AUTO_TEST_SUITE_END()
