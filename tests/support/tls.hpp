// What a client over TLS sees, and the certificate by which it knows the server.
#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace penstock::tests {

template <auto Free>
struct OpensslDeleter {
    template <class T>
    void operator()(T* pointer) const {
        Free(pointer);
    }
};

/// A self-signed certificate for localhost in a directory of its own.
class Identity {
    using Key = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
    using Certificate = std::unique_ptr<X509, OpensslDeleter<X509_free>>;

public:
    Identity() {
        std::string name =
            (std::filesystem::temp_directory_path() / "penstock-tls-XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        directory_ = name;
        Key const key(EVP_EC_gen("P-256"));
        Certificate const made(X509_new());
        ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
        X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
        X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
        X509_set_pubkey(made.get(), key.get());
        auto* const subject = X509_get_subject_name(made.get());
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                   reinterpret_cast<unsigned char const*>("localhost"), -1, -1, 0);
        X509_set_issuer_name(made.get(), subject);
        BOOST_REQUIRE(X509_sign(made.get(), key.get(), EVP_sha256()) > 0);
        save(certificate(), [&](FILE* file) { return PEM_write_X509(file, made.get()); });
        save(private_key(), [&](FILE* file) {
            return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
    }
    Identity(Identity&&) = delete;
    ~Identity() { std::filesystem::remove_all(directory_); }

    std::string certificate() const { return directory_ / "certificate.pem"; }
    std::string private_key() const { return directory_ / "key.pem"; }

private:
    template <class Write>
    static void save(std::string const& path, Write write) {
        FILE* const file = std::fopen(path.c_str(), "w");
        BOOST_REQUIRE(file != nullptr);
        BOOST_REQUIRE(write(file) == 1);
        std::fclose(file);
    }

    std::filesystem::path directory_;
};

/// Everything that the server says to `request` over TLS of that version on a connected socket
/// until it closes. "" when the handshake fails: also when the server is not `expected`.
inline std::string ask_over_tls(int fd, std::string const& request, int version,
                                Identity const* expected = nullptr) {
    std::unique_ptr<SSL_CTX, OpensslDeleter<SSL_CTX_free>> const context(
        SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    SSL_CTX_set_security_level(context.get(), 0);
    if (expected != nullptr) {
        auto const trusted = expected->certificate();
        BOOST_REQUIRE(SSL_CTX_load_verify_locations(context.get(), trusted.c_str(), nullptr) == 1);
        SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    }
    std::unique_ptr<SSL, OpensslDeleter<SSL_free>> const tls(SSL_new(context.get()));
    if (expected != nullptr) SSL_set1_host(tls.get(), "localhost");
    SSL_set_fd(tls.get(), fd);
    if (SSL_connect(tls.get()) != 1) return "";
    BOOST_REQUIRE(SSL_write(tls.get(), request.data(), static_cast<int>(request.size())) > 0);
    std::string text;
    char piece[4096];
    for (;;) {
        int const got = SSL_read(tls.get(), piece, sizeof piece);
        if (got <= 0) break;
        text.append(piece, static_cast<std::size_t>(got));
    }
    SSL_shutdown(tls.get());
    return text;
}

}  // namespace penstock::tests
