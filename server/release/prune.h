// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "server/expected.h"

namespace ota::server {

enum class PruneMode : uint8_t { kRemove, kDryRun };

struct PrunedFile {
  std::string path;
  uint64_t size_bytes = 0;
};

struct PruneSummary {
  uint64_t file_count = 0;
  uint64_t bytes = 0;
  uint64_t kept_release_count = 0;
};

/// Removes from a data directory what no device is offered any more: envelopes in whose place a
/// newer release is for all of their devices, and payloads that no envelope names. `on_file` is
/// told of each file, once it is removed; with kDryRun of what would be.
///
/// Stays: the transparency log with all its entries, root metadata, models/, and each release that
/// is the newest one for some device, also if its key was revoked.
///
/// Envelopes go first, so that one on offer has its payload whenever the process is killed; to
/// prune again does the rest. What is offered is the same before, meanwhile and after.
///
/// Error: a server runs there; no root metadata says what is offered; an envelope cannot be read,
/// so that its payload is not known. Nothing was removed then. Or a file cannot be removed.
Expected<PruneSummary> Prune(const std::string& data_directory, PruneMode mode,
                             const std::function<void(const PrunedFile&)>& on_file);

}  // namespace ota::server
