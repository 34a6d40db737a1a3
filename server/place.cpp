// WHERE a command is decided.
#include "server/place.hpp"

namespace penstock::server {
namespace {

/// What a command concerns: everything of one ledger is decided in one place. What has no ledger
/// yet goes by its organization.
struct Place {
    domain::OrganizationId const& organization;

    std::size_t by(domain::LedgerId const& id) const { return domain::UuidHash{}(id); }
    /// A product with its payments' ledger; without payments it stands for itself.
    template <class OnProduct>
    std::size_t by(OnProduct const& command) const {
        return command.payment ? by(command.payment->ledger) : domain::UuidHash{}(command.product);
    }
    std::size_t by_organization() const { return domain::UuidHash{}(organization); }

    std::size_t operator()(domain::CreateOrganization const&) const { return by_organization(); }
    std::size_t operator()(domain::CreateApiKey const&) const { return by_organization(); }
    std::size_t operator()(domain::RevokeApiKey const&) const { return by_organization(); }
    std::size_t operator()(domain::CreateLedger const&) const { return by_organization(); }
    std::size_t operator()(domain::RetryJob const&) const { return by_organization(); }
    std::size_t operator()(domain::RequestExport const&) const { return by_organization(); }
    std::size_t operator()(domain::RecordDownload const&) const { return by_organization(); }
    std::size_t operator()(domain::CreateProduct const& command) const {
        return command.payment ? by(command.payment->ledger) : by_organization();
    }
    std::size_t operator()(domain::RestockProduct const& command) const { return by(command); }
    std::size_t operator()(domain::PlaceOrder const& command) const { return by(command); }
    std::size_t operator()(domain::CancelOrder const& command) const { return by(command); }
    template <class OnLedger>
    std::size_t operator()(OnLedger const& command) const {
        return by(command.ledger);
    }
};

}  // namespace

std::size_t place_of(domain::Envelope const& envelope) {
    std::size_t const hash = std::visit(Place{envelope.organization}, envelope.command);
    // Mixed, because a UUID's hash is its random bits and the lanes are few.
    return (hash * 0x9e3779b97f4a7c15ULL) >> 32;
}

}  // namespace penstock::server
