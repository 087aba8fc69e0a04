// SPDX-License-Identifier: Apache-2.0
#include "crypto/host/pem_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>

namespace ota::crypto {
namespace {

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Freer<BN_clear_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

constexpr int kCoordinateBytes = static_cast<int>(kP256CoordinateBytes);
constexpr uint64_t kScryptCost = 1 << 14;  // 16 MiB; OpenSSL opens no more than 32

Bio BioOf(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(length));
}

Result<P256PublicKey> PublicKeyOf(EVP_PKEY* key) {
  std::array<char, 32> group = {};
  size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) != 1 ||
      std::string_view(group.data(), length) != SN_X9_62_prime256v1) {
    return Status::kKeyInvalid;
  }
  BIGNUM* x = nullptr;
  BIGNUM* y = nullptr;
  const bool has_point = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
                         EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1;
  const BigNumber x_owner(x), y_owner(y);
  P256PublicKey bytes;
  if (!has_point || BN_bn2binpad(x, bytes.data(), kCoordinateBytes) != kCoordinateBytes ||
      BN_bn2binpad(y, bytes.data() + kCoordinateBytes, kCoordinateBytes) != kCoordinateBytes) {
    return Status::kKeyInvalid;
  }
  return bytes;
}

// Of the two valid s, the lower one.
void LowerS(const BIGNUM* s, BIGNUM* lower) {
  const EC_GROUP* const group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  const BIGNUM* const order = EC_GROUP_get0_order(group);
  const BigNumber other(BN_new());
  BN_sub(other.get(), order, s);
  BN_copy(lower, BN_cmp(s, other.get()) > 0 ? other.get() : s);
  EC_GROUP_free(const_cast<EC_GROUP*>(group));
}

// OpenSSL asks for the passphrase through this.
int GivePassphrase(char* buffer, int size, int, void* context) {
  const auto& passphrase = *static_cast<const std::string_view*>(context);
  if (passphrase.size() > static_cast<size_t>(size)) return -1;
  std::copy(passphrase.begin(), passphrase.end(), buffer);
  return static_cast<int>(passphrase.size());
}

X509_SIG* EncryptPkcs8(PKCS8_PRIV_KEY_INFO* info, std::string_view passphrase) {
  X509_ALGOR* const algorithm =
      PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, 0, nullptr, kScryptCost, 8, 1);
  if (algorithm == nullptr) return nullptr;
  X509_SIG* const sealed =
      PKCS8_set0_pbe(passphrase.data(), static_cast<int>(passphrase.size()), info, algorithm);
  if (sealed == nullptr) X509_ALGOR_free(algorithm);
  return sealed;
}

}  // namespace

void PemKey::KeyDeleter::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

PemKey::PemKey(KeyPointer key, const P256PublicKey& public_key)
    : key_(std::move(key)), public_key_(public_key) {}

Result<std::unique_ptr<PemKey>> PemKey::FromKey(KeyPointer key) {
  OTA_TRY(const P256PublicKey public_key, PublicKeyOf(key.get()));
  return std::unique_ptr<PemKey>(new PemKey(std::move(key), public_key));
}

Result<std::unique_ptr<PemKey>> PemKey::Generate() {
  KeyPointer key(EVP_EC_gen("P-256"));
  if (key == nullptr) return Status::kEntropyUnavailable;
  return FromKey(std::move(key));
}

Result<std::unique_ptr<PemKey>> PemKey::FromPem(std::string_view pem, std::string_view passphrase) {
  const Bio bio = BioOf(pem);
  KeyPointer key(PEM_read_bio_PrivateKey(bio.get(), nullptr, GivePassphrase, &passphrase));
  if (key == nullptr) return Status::kKeyInvalid;
  return FromKey(std::move(key));
}

Result<Es256Signature> PemKey::Sign(const Sha256Digest& digest) {
  const Context context(EVP_PKEY_CTX_new(key_.get(), nullptr));
  std::array<uint8_t, 80> der;
  size_t der_bytes = der.size();
  if (EVP_PKEY_sign_init(context.get()) != 1 ||
      EVP_PKEY_sign(context.get(), der.data(), &der_bytes, digest.data(), digest.size()) != 1) {
    return Status::kKeyInvalid;
  }
  const uint8_t* at = der.data();
  const EcdsaSignature parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der_bytes)));
  if (parsed == nullptr) return Status::kKeyInvalid;
  const BigNumber lower(BN_new());
  LowerS(ECDSA_SIG_get0_s(parsed.get()), lower.get());
  Es256Signature signature;
  BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), signature.data(), kCoordinateBytes);
  BN_bn2binpad(lower.get(), signature.data() + kCoordinateBytes, kCoordinateBytes);
  return signature;
}

Result<std::string> PemKey::ToPem(std::string_view passphrase) const {
  const Bio bio(BIO_new(BIO_s_mem()));
  PKCS8_PRIV_KEY_INFO* const info = EVP_PKEY2PKCS8(key_.get());
  if (info == nullptr) return Status::kKeyInvalid;
  bool is_written = false;
  if (passphrase.empty()) {
    is_written = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio.get(), info) == 1;
  } else if (X509_SIG* const sealed = EncryptPkcs8(info, passphrase); sealed != nullptr) {
    is_written = PEM_write_bio_PKCS8(bio.get(), sealed) == 1;
    X509_SIG_free(sealed);
  }
  PKCS8_PRIV_KEY_INFO_free(info);
  if (!is_written) return Status::kKeyInvalid;
  return TextOf(bio.get());
}

Result<P256PrivateKey> PemKey::private_key() const {
  BIGNUM* scalar = nullptr;
  const bool is_found = EVP_PKEY_get_bn_param(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1;
  const BigNumber owner(scalar);
  P256PrivateKey bytes;
  if (!is_found || BN_bn2binpad(scalar, bytes.data(), kCoordinateBytes) != kCoordinateBytes) {
    return Status::kKeyInvalid;
  }
  return bytes;
}

bool IsEncryptedPem(std::string_view pem) {
  return pem.find("BEGIN ENCRYPTED PRIVATE KEY") != std::string_view::npos;
}

Result<std::string> EncodePublicPem(const P256PublicKey& key) {
  std::array<uint8_t, 1 + sizeof(P256PublicKey)> point = {0x04};
  std::copy(key.begin(), key.end(), point.begin() + 1);
  char group[] = "P-256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY,
                        const_cast<OSSL_PARAM*>(parameters)) != 1) {
    return Status::kKeyInvalid;
  }
  const Key owner(made);
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PUBKEY(bio.get(), made) != 1) return Status::kKeyInvalid;
  return TextOf(bio.get());
}

Result<P256PublicKey> DecodePublicPem(std::string_view pem) {
  // OpenSSL would ask at the terminal for the passphrase of an encrypted private key.
  if (pem.find("BEGIN PUBLIC KEY") == std::string_view::npos) return Status::kKeyInvalid;
  const Bio bio = BioOf(pem);
  const Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return Status::kKeyInvalid;
  return PublicKeyOf(key.get());
}

}  // namespace ota::crypto
