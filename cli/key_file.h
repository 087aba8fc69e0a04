// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "crypto/host/hex.h"
#include "crypto/host/pem_key.h"

// Keys in files, and files that commands write: what `key`, `trust`, `sign` and `publish` share.
// All functions throw CommandError with what to do.

namespace ota::cli {

/// What unlocks a private key, and a token: the variable OTA_TINYML_PASSPHRASE, the first line of
/// the file that OTA_TINYML_PASSPHRASE_FILE names, or what is typed at the terminal. `Choose` asks
/// twice.
std::string AskPassphrase(const std::string& key_path);
std::string ChoosePassphrase(const std::string& key_path);

/// `key` is a file in PEM, or a PKCS#11 URI: the key then stays in its token.
std::unique_ptr<crypto::SigningKey> LoadPrivateKey(const std::string& key);

/// Of a file in PEM, with its private part at hand.
std::unique_ptr<crypto::PemKey> LoadKeyFile(const std::string& path);

/// Makes a key pair in a token.
std::unique_ptr<crypto::SigningKey> MakeTokenKey(const std::string& uri);

/// Of a public key's file, of a private key's, or of a key in a token.
crypto::P256PublicKey LoadPublicKey(const std::string& path);

/// Key id as hexadecimal digits.
std::string FormatKeyId(const crypto::P256PublicKey& key);

enum class FileUse : uint8_t { kPublic, kSecret };

/// Writes a new file as a whole or not at all; a secret one for its owner alone to read. An
/// existing file is never overwritten.
void WriteNewFile(const std::string& path, ByteSpan bytes, FileUse use);
void WriteNewFile(const std::string& path, std::string_view text, FileUse use);

}  // namespace ota::cli
