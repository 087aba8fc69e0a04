// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "agent/update/payload_stage.h"
#include "formats/cose/cose_encrypt.h"
#include "formats/host/authoring.h"

// Payloads that only some devices can read: the keys for it, and their encryption. All functions
// throw CommandError.
//
// A payload is encrypted for a device by its public key, or for all that share a group key: 16
// bytes in a file of one line, which says so. Its id is that of its bytes, as a public key's.

namespace ota::cli {

inline constexpr const char* kContentCipherNames[] = {"ctr", "gcm"};  // by ContentCipher

/// Makes a new group key, in a file for its owner alone to read, and returns its key id.
formats::KeyId WriteGroupKey(const std::string& path);

/// The private key or the group key in that file. `key_id` must live as long as what is returned.
agent::DecryptionKey LoadPayloadKey(const std::string& path, formats::KeyId& key_id);

/// Encrypts `payload` under a new key, and wraps that for each recipient: with ECDH-ES for a public
/// key, with AES key wrap under a group key. GCM adds its tag to the payload. Returns the encoded
/// COSE_Encrypt.
formats::Bytes SealPayload(formats::ContentCipher cipher,
                           const std::vector<std::string>& recipients, formats::Bytes& payload);

}  // namespace ota::cli
