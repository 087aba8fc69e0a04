// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "crypto/host/signing_key.h"

typedef struct evp_pkey_st EVP_PKEY;  // of OpenSSL

namespace ota::crypto {

/// A P-256 key pair that is kept as PEM: PKCS#8, encrypted with AES-256-CBC under a key that scrypt
/// derives from a passphrase. An empty passphrase means: not encrypted.
class PemKey final : public SigningKey {
 public:
  /// A new key pair. kEntropyUnavailable: the system's generator failed.
  static Result<std::unique_ptr<PemKey>> Generate();

  /// kKeyInvalid: not PEM, not a P-256 private key, or the wrong passphrase.
  static Result<std::unique_ptr<PemKey>> FromPem(std::string_view pem, std::string_view passphrase);

  const P256PublicKey& public_key() const override { return public_key_; }
  Result<Es256Signature> Sign(const Sha256Digest& digest) override;

  /// The key pair as PEM. kKeyInvalid: the library could not encode it.
  Result<std::string> ToPem(std::string_view passphrase) const;

  /// The bare scalar, for what provisions a device with its key. kKeyInvalid as above.
  Result<P256PrivateKey> private_key() const;

 private:
  struct KeyDeleter {
    void operator()(EVP_PKEY* key) const;
  };
  using KeyPointer = std::unique_ptr<EVP_PKEY, KeyDeleter>;

  PemKey(KeyPointer key, const P256PublicKey& public_key);
  static Result<std::unique_ptr<PemKey>> FromKey(KeyPointer key);

  KeyPointer key_;
  P256PublicKey public_key_;
};

/// Whether `pem` is an encrypted private key, so that a passphrase must be asked for.
bool IsEncryptedPem(std::string_view pem);

/// The public key as PEM (SubjectPublicKeyInfo), and back. kKeyInvalid: not a P-256 public key.
Result<std::string> EncodePublicPem(const P256PublicKey& key);
Result<P256PublicKey> DecodePublicPem(std::string_view pem);

}  // namespace ota::crypto
