#include "domain/organization.hpp"

#include "tests/domain/scene.hpp"

namespace penstock::tests {
namespace {

OrganizationId const stranger{make_uuid7({1}, 0, 99)};

CreateLedger create(std::string name) {
    CreateLedger command;
    command.draft.name = std::move(name);
    command.draft.asset_code = "EUR";
    command.draft.asset_scale = 2;
    return command;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(organizations)

BOOST_AUTO_TEST_CASE(an_organizations_name_is_taken_once) {
    Scene scene;
    auto const organization = made<Organization>(scene.decide(CreateOrganization{"acme"}));
    BOOST_TEST(organization.name == "acme");
    BOOST_TEST(refusal_of(scene.decide(CreateOrganization{"acme"})) == "organization_exists /name");
    BOOST_TEST(scene.set().changes().new_organizations.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_key_belongs_to_an_organization_that_exists) {
    Scene scene;
    BOOST_TEST(refusal_of(scene.decide(CreateApiKey{stranger, "k"})) == "organization_not_found");
    auto const organization = made<Organization>(scene.decide(CreateOrganization{"acme"}));
    auto const key = made<ApiKey>(scene.decide(CreateApiKey{organization.id, "k", 3}));
    BOOST_TEST((key.organization == organization.id));
    BOOST_TEST(key.scopes == 3);
    BOOST_TEST(!key.revoked_at);
}

BOOST_AUTO_TEST_CASE(a_key_is_revoked_by_its_own_organization_as_often_as_it_likes) {
    Scene scene;
    auto const key = made<ApiKey>(scene.decide(CreateApiKey{default_organization, "k", 1}));
    BOOST_TEST(refusal_of(scene.decide(RevokeApiKey{stranger, key.id})) == "key_not_found");
    BOOST_TEST(refusal_of(scene.decide(RevokeApiKey{default_organization, {}})) == "key_not_found");
    made<Done>(scene.decide(RevokeApiKey{default_organization, key.id}));
    made<Done>(scene.decide(RevokeApiKey{default_organization, key.id}));
    BOOST_TEST(scene.set().changes().revoked_api_keys.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(ledgers)

BOOST_AUTO_TEST_CASE(a_money_ledger_has_its_system_accounts_at_once) {
    Scene scene;
    auto const ledger = made<Ledger>(scene.decide(create("shop")));
    BOOST_TEST((ledger.organization == default_organization));
    BOOST_TEST(ledger.created_at.ms == noon.ms);
    BOOST_TEST(scene.set().find_account(ledger.id, world_address));
    BOOST_TEST(scene.set().find_account(ledger.id, platform_address));
    CreateAccount const account{ledger.id, "alice"};
    BOOST_TEST(refusal_of(scene.decide(account)) == "");
}

BOOST_AUTO_TEST_CASE(a_ledgers_name_is_taken_once_per_organization) {
    Scene scene;
    BOOST_TEST(refusal_of(scene.decide(create("main"))) == "ledger_exists /name");
    BOOST_TEST(refusal_of(scene.decide(create("main"), {}, stranger)) == "");
}

BOOST_AUTO_TEST_CASE(a_hot_ledger_is_of_money_and_has_a_row_of_its_own) {
    Scene scene;
    auto command = create("fast");
    command.draft.posting = Posting::hot;
    BOOST_TEST(refusal_of(scene.decide(command)) == "");
    BOOST_REQUIRE(scene.set().changes().hot_ledgers.size() == 1U);
    BOOST_TEST(scene.set().changes().hot_ledgers.front().epoch == 0);
    command = create("purse");
    command.draft.posting = Posting::hot;
    command.draft.kind = LedgerKind::credits;
    BOOST_TEST(refusal_of(scene.decide(command)) == "unsupported_on_ledger /posting");
}

BOOST_AUTO_TEST_CASE(a_change_leaves_absent_members_as_they_are) {
    Scene scene;
    ChangeLedger command{Scene::ledger_id(), {}, {}, std::int16_t{80}};
    auto const ledger = made<Ledger>(scene.decide(command));
    BOOST_TEST(ledger.royalty_percent == 80);
    BOOST_TEST((ledger.drain == Drain::emission));
    command.royalty_percent.reset();
    command.issuers = {"mint"};
    BOOST_TEST(made<Ledger>(scene.decide(command)).royalty_percent == 80);
    BOOST_TEST(scene.set().changes().changed_ledgers.size() == 1u);
    BOOST_TEST(refusal_of(scene.decide(command, {}, stranger)) == "ledger_not_found");
}

BOOST_AUTO_TEST_CASE(a_ledger_with_anything_in_it_is_not_deleted) {
    auto rows = Scene::loaded();
    rows.ledgers_not_empty.insert(Scene::ledger_id());
    Scene loaded{std::move(rows)};
    BOOST_TEST(refusal_of(loaded.decide(DeleteLedger{Scene::ledger_id()})) == "ledger_not_empty");
    Scene scene;
    scene.deposit(platform_address, 5);
    BOOST_TEST(refusal_of(scene.decide(DeleteLedger{Scene::ledger_id()})) == "ledger_not_empty");
    scene.withdraw(platform_address, 5);
    BOOST_TEST(refusal_of(scene.decide(DeleteLedger{Scene::ledger_id()})) == "");
}

BOOST_AUTO_TEST_CASE(a_deleted_ledger_is_gone_for_the_rest_of_the_batch_and_its_name_is_free) {
    Scene scene;
    made<Done>(scene.decide(DeleteLedger{Scene::ledger_id()}, use_of(1)));
    BOOST_TEST(refusal_of(scene.deposit(platform_address, 1)) == "ledger_not_found");
    BOOST_TEST(refusal_of(scene.decide(DeleteLedger{Scene::ledger_id()})) == "ledger_not_found");
    BOOST_TEST(is_replayed(scene.decide(DeleteLedger{Scene::ledger_id()}, use_of(1))));
    BOOST_TEST(refusal_of(scene.decide(create("main"))) == "");
    auto const changes = scene.set().changes();
    BOOST_TEST(changes.deleted_ledgers.size() == 1u);
    BOOST_TEST(changes.new_ledgers.size() == 1u);
    BOOST_TEST(changes.changed_ledgers.empty());
}

BOOST_AUTO_TEST_CASE(a_ledger_made_and_deleted_in_one_batch_leaves_nothing) {
    Scene scene;
    auto const ledger = made<Ledger>(scene.decide(create("brief")));
    made<Done>(scene.decide(DeleteLedger{ledger.id}));
    BOOST_TEST(scene.set().changes().empty());
}

BOOST_AUTO_TEST_CASE(commands_without_a_transfer_are_recorded_as_answers) {
    Scene scene;
    auto const first = scene.decide(create("shop"), use_of(1));
    auto const again = scene.decide(create("shop"), use_of(1));
    BOOST_TEST(is_replayed(again));
    BOOST_TEST((made<Ledger>(again) == made<Ledger>(first)));
    scene.decide(CreateAccount{Scene::ledger_id(), "alice"}, use_of(2));
    scene.decide(ChangeLedger{Scene::ledger_id(), Drain::expiration, {}, {}}, use_of(3));
    scene.decide(DeleteLedger{Scene::ledger_id()}, use_of(4));
    scene.decide(CreateOrganization{"acme"}, use_of(5));
    std::vector<std::int16_t> statuses;
    for (auto const& answer : scene.set().changes().answers) {
        statuses.push_back(answer.status);
        BOOST_TEST(answer.created_at.ms == noon.ms);
        BOOST_TEST(!answer.request_id.empty());
    }
    BOOST_TEST((statuses == std::vector<std::int16_t>{201, 201, 200, 204, 201}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(undoing)

BOOST_AUTO_TEST_CASE(every_write_can_be_taken_back) {
    Scene scene;
    auto const key = made<ApiKey>(scene.decide(CreateApiKey{default_organization, "k", 1}));
    auto const before = scene.set().changes();
    auto const mark = scene.set().mark();
    scene.decide(CreateOrganization{"acme"}, use_of(1));
    scene.decide(RevokeApiKey{default_organization, key.id});
    scene.decide(CreateApiKey{default_organization, "other", 1});
    scene.decide(create("shop"));
    auto const account = made<Account>(scene.decide(CreateAccount{Scene::ledger_id(), "alice"}));
    auto const deposit = made<Transfer>(scene.deposit(account.address, 5));
    scene.decide(RevertTransfer{Scene::ledger_id(), deposit}, use_of(2));
    scene.decide(ChangeLedger{Scene::ledger_id(), Drain::expiration, {}, {}});
    made<Done>(scene.decide(DeleteLedger{Scene::ledger_id()}));
    scene.set().undo(mark);
    BOOST_TEST((scene.set().changes() == before));
    BOOST_TEST(!scene.set().is_reverted(deposit.id));
    BOOST_TEST(!scene.set().organization_name_taken("acme"));
    BOOST_TEST(!scene.set().ledger_name_taken(default_organization, "shop"));
    BOOST_TEST(scene.set().ledger_name_taken(default_organization, "main"));
    BOOST_TEST(!scene.set().find_api_key(key.id)->revoked_at);
    BOOST_TEST(scene.set().find_ledger(Scene::ledger_id()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace penstock::tests
