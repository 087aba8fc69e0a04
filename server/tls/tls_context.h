// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>

#include "server/expected.h"

namespace ota::server {

struct TlsContextFree {
  void operator()(SSL_CTX* context) const;
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextFree>;

/// TLS 1.2 and 1.3 for a server, with forward secrecy and authenticated ciphers only; offers
/// http/1.1. `certificate_path`: PEM, the server's certificate first. Error: what cannot be read,
/// or that the two do not belong together.
Expected<TlsContext> MakeTlsContext(const std::string& certificate_path,
                                    const std::string& key_path);

}  // namespace ota::server
