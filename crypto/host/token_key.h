// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "crypto/host/signing_key.h"

namespace ota::crypto {

/// Whether `text` names a key in a token rather than a file: "pkcs11:…" (RFC 7512).
bool IsTokenUri(std::string_view text);

/// Whether the URI itself says the PIN or where it lies, so that nobody must be asked.
bool HasPin(const std::string& uri);

/// A P-256 key in a PKCS#11 token, e.g. a hardware module or a smart card, named by a PKCS#11 URI.
/// It never leaves the token: that signs. The modules are those that p11-kit is configured for, or
/// the one of the URI's module-path.
class TokenKey final : public SigningKey {
 public:
  /// Logs in with `pin` (empty: the URI's pin-value) and finds the key with the URI's object or id.
  /// kInvalidArgument: not a PKCS#11 URI. kNotFound: no such token, or no such key in it.
  /// kKeyInvalid: the PIN is wrong, or the key is not on P-256.
  static Result<std::unique_ptr<TokenKey>> Open(const std::string& uri, const std::string& pin);

  /// Makes a key pair in the token, named by the URI's object. kAlreadyExists: that one is there.
  /// kInvalidArgument: the URI names no object. Otherwise as Open; kNotSupported: the token cannot.
  static Result<std::unique_ptr<TokenKey>> Generate(const std::string& uri, const std::string& pin);

  ~TokenKey() override;
  TokenKey(const TokenKey&) = delete;
  TokenKey& operator=(const TokenKey&) = delete;

  const P256PublicKey& public_key() const override { return public_key_; }
  Result<Es256Signature> Sign(const Sha256Digest& digest) override;

 private:
  class Token;  // a session with a token, behind the library's own header

  explicit TokenKey(std::unique_ptr<Token> token);
  static Result<std::unique_ptr<TokenKey>> LogIn(const std::string& uri, const std::string& pin);
  Status FindKeys();

  std::unique_ptr<Token> token_;
  unsigned long private_handle_ = 0;
  P256PublicKey public_key_ = {};
};

}  // namespace ota::crypto
