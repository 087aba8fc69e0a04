// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/bytes.h"

namespace CLI {
class App;
}

// What publishers send to a server: `publish` and `trust publish`.

namespace ota::cli {

struct UploadOptions {
  std::string server_url;  ///< empty: nothing is sent
  std::string ca_path;
  std::string token_path;

  bool is_wanted() const { return !server_url.empty(); }
};

/// Adds --server, --ca and --token-file.
void AddUploadOptions(CLI::App* command, UploadOptions& options);

/// CommandError, exit code 2: only some of the options are given.
void CheckUse(const UploadOptions& options);

/// Sends `body` with PUT to `path` and returns the server's JSON, once it has stored everything
/// durably. Shows progress under `label` on stderr. CommandError: the token cannot be read, the
/// server cannot be reached, or it refuses, with its reason and the status that a device would
/// give.
nlohmann::json Upload(const UploadOptions& options, const std::string& path, ByteSpan body,
                      const std::string& label);

}  // namespace ota::cli
