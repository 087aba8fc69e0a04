// SPDX-License-Identifier: Apache-2.0
#include "server/tls/development_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "server/temporary_directory.h"
#include "server/tls/tls_context.h"

namespace ota::server {
namespace {

int RunShell(const std::string& command) {
  return std::system((command + " > /dev/null 2>&1").c_str());
}

class DevelopmentCertificateTest : public testing::Test {
 protected:
  DevelopmentCertificate Ensure(const std::vector<std::string>& hosts = {"192.0.2.7", "box.lan"}) {
    Expected<DevelopmentCertificate> made =
        EnsureDevelopmentCertificate(directory_.path("tls"), hosts);
    EXPECT_TRUE(made.ok());
    return *made;
  }
  bool IsAccepted(const DevelopmentCertificate& made, const std::string& host) {
    return RunShell("openssl verify -x509_strict -purpose sslserver " + host + " -CAfile " +
                    made.ca_path + " " + made.certificate_path) == 0;
  }
  TemporaryDirectory directory_;
};

TEST_F(DevelopmentCertificateTest, IsAcceptedForItsHostsAndNoOthers) {
  const DevelopmentCertificate made = Ensure();
  EXPECT_TRUE(made.is_ca_new && made.is_certificate_new);
  for (const char* host : {"-verify_hostname localhost", "-verify_ip 127.0.0.1", "-verify_ip ::1",
                           "-verify_ip 192.0.2.7", "-verify_hostname box.lan"}) {
    EXPECT_TRUE(IsAccepted(made, host)) << host;
  }
  EXPECT_FALSE(IsAccepted(made, "-verify_ip 192.0.2.8"));
  EXPECT_FALSE(IsAccepted(made, "-verify_hostname evil.lan"));
  EXPECT_TRUE(MakeTlsContext(made.certificate_path, made.key_path).ok());
}

TEST_F(DevelopmentCertificateTest, KeepsItsKeysToItsOwner) {
  const DevelopmentCertificate made = Ensure();
  for (const std::string& path : {made.key_path, directory_.path("tls/ca.key")}) {
    struct stat state;
    ASSERT_EQ(stat(path.c_str(), &state), 0);
    EXPECT_EQ(state.st_mode & 0777, 0600u) << path;
  }
}

TEST_F(DevelopmentCertificateTest, IsKeptAsLongAsItIsGood) {
  const std::string ca = (Ensure(), directory_.Read("tls/ca.pem"));
  const std::string certificate = directory_.Read("tls/server.pem");
  const DevelopmentCertificate same = Ensure();
  EXPECT_FALSE(same.is_ca_new || same.is_certificate_new);
  EXPECT_EQ(directory_.Read("tls/server.pem"), certificate);

  const DevelopmentCertificate other = Ensure({"192.0.2.9"});
  EXPECT_FALSE(other.is_ca_new);
  EXPECT_TRUE(other.is_certificate_new);
  EXPECT_EQ(directory_.Read("tls/ca.pem"), ca);
  EXPECT_TRUE(IsAccepted(other, "-verify_ip 192.0.2.9"));
}

TEST_F(DevelopmentCertificateTest, IsMadeAnewWhenItEndsSoon) {
  Ensure();
  // The same names and key, by the same CA, but for ten days only.
  const std::string tls = directory_.path("tls/");
  ASSERT_EQ(
      RunShell("cd " + tls +
               " && openssl x509 -x509toreq -in server.pem -signkey server.key -out "
               "request.pem -copy_extensions copyall && openssl x509 -req -in request.pem -CA "
               "ca.pem -CAkey ca.key -days 10 -copy_extensions copyall -out server.pem"),
      0);
  const DevelopmentCertificate made = Ensure();
  EXPECT_TRUE(made.is_certificate_new);
  EXPECT_FALSE(made.is_ca_new);
}

TEST_F(DevelopmentCertificateTest, NeverReplacesACaThatDevicesTrust) {
  Ensure();
  directory_.Write("tls/ca.key", "not a key");
  const auto made = EnsureDevelopmentCertificate(directory_.path("tls"), {});
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message, testing::HasSubstr("tls/ca.key"));
}

TEST_F(DevelopmentCertificateTest, SaysWhatCannotBeWritten) {
  const auto made = EnsureDevelopmentCertificate("/proc/absent/tls", {});
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message,
              testing::HasSubstr("cannot make the directory /proc/absent/tls"));
}

TEST_F(DevelopmentCertificateTest, IsUsedOnlyWithItsKey) {
  const DevelopmentCertificate made = Ensure();
  const auto mixed = MakeTlsContext(made.ca_path, made.key_path);
  ASSERT_FALSE(mixed.ok());
  EXPECT_THAT(mixed.error().message, testing::HasSubstr("is not the key of"));
  const auto absent = MakeTlsContext(directory_.path("absent"), made.key_path);
  EXPECT_THAT(absent.error().message, testing::HasSubstr("No such file or directory"));
  const auto garbage = MakeTlsContext(made.key_path, made.key_path);
  EXPECT_THAT(garbage.error().message, testing::HasSubstr("cannot read the certificate"));
}

}  // namespace
}  // namespace ota::server
