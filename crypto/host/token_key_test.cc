// SPDX-License-Identifier: Apache-2.0
// Against SoftHSM, a token in software.
#include "crypto/host/token_key.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "crypto/es256.h"

namespace ota::crypto {
namespace {

class TokenKeyTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v softhsm2-util >/dev/null") != 0) {
      GTEST_SKIP() << "softhsm2 is not installed; tools/install_packages.sh test does it";
    }
    std::filesystem::create_directories(directory_ + "/tokens");
    std::ofstream(directory_ + "/softhsm2.conf")
        << "directories.tokendir = " << directory_ << "/tokens\n";
    setenv("SOFTHSM2_CONF", (directory_ + "/softhsm2.conf").c_str(), 1);
    ASSERT_EQ(std::system("softhsm2-util --init-token --free --label publisher --pin 1234 "
                          "--so-pin 5678 >/dev/null"),
              0);
  }
  ~TokenKeyTest() override { std::filesystem::remove_all(directory_); }

  const std::string directory_ =
      (std::filesystem::temp_directory_path() / ("token_key_test_" + std::to_string(getpid())))
          .string();
  const std::string uri_ = "pkcs11:token=publisher;object=release";
};

TEST_F(TokenKeyTest, SignsWithAKeyThatWasMadeInTheToken) {
  const auto made = TokenKey::Generate(uri_, "1234");
  ASSERT_TRUE(made.ok()) << StatusName(made.status());
  const auto key = TokenKey::Open(uri_ + "?pin-value=1234", "");
  ASSERT_TRUE(key.ok()) << StatusName(key.status());
  EXPECT_EQ((*key)->public_key(), (*made)->public_key());
  Sha256Digest digest = {};
  for (uint8_t i = 0; i < 20; ++i) {
    digest[0] = i;
    const Result<Es256Signature> signature = (*key)->Sign(digest);
    ASSERT_TRUE(signature.ok());
    EXPECT_EQ(VerifyEs256((*key)->public_key(), digest, *signature), Status::kOk) << "lower s, too";
  }
  EXPECT_EQ(TokenKey::Generate(uri_, "1234").status(), Status::kAlreadyExists);
}

TEST_F(TokenKeyTest, SaysWhyAKeyCannotBeUsed) {
  EXPECT_EQ(TokenKey::Open("release.pem", "1234").status(), Status::kInvalidArgument);
  EXPECT_EQ(TokenKey::Open("pkcs11:token=another;object=release", "1234").status(),
            Status::kNotFound);
  EXPECT_EQ(TokenKey::Open(uri_, "1234").status(), Status::kNotFound);
  EXPECT_EQ(TokenKey::Open(uri_, "9999").status(), Status::kKeyInvalid);
  EXPECT_EQ(TokenKey::Generate("pkcs11:token=publisher", "1234").status(),
            Status::kInvalidArgument);
}

TEST(TokenUri, IsToldFromAFile) {
  EXPECT_TRUE(IsTokenUri("pkcs11:object=release"));
  EXPECT_FALSE(IsTokenUri("keys/pkcs11.pem"));
  EXPECT_TRUE(HasPin("pkcs11:object=release?pin-value=1"));
  EXPECT_FALSE(HasPin("pkcs11:object=release"));
}

}  // namespace
}  // namespace ota::crypto
