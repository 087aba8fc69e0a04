// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "crypto/host/pem_key.h"
#include "server/expected.h"

namespace ota::server {

/// A key pair of the server's own: PATH.pem, mode 0600, and PATH.pub.pem.
enum class KeyPairUse { kMayBeMade, kMustExist };

/// Reads the pair; makes it if it does not exist and may be made. Error: it cannot be read or
/// written.
Expected<std::unique_ptr<crypto::PemKey>> OpenKeyPair(const std::string& path, KeyPairUse use);

}  // namespace ota::server
