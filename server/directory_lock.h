// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "server/expected.h"

namespace ota::server {

/// Keeps others out of a data directory; given back when the process ends, however it does.
class DirectoryLock {
 public:
  DirectoryLock() = default;
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

  /// Error: another process has it, or `directory` cannot be written.
  Failure Take(const std::string& directory);

 private:
  int descriptor_ = -1;
};

}  // namespace ota::server
