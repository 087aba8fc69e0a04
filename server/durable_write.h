// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "server/expected.h"

namespace ota::server {

/// Makes `path` hold exactly `text`, or leaves it as it was: written beside it, synced, renamed
/// over it, and the directory synced. When it returns without Error the bytes survive a power cut.
/// Error: what could not be done, where and why; nothing is left beside `path`.
Failure WriteDurably(const std::string& path, std::string_view text, mode_t mode);

/// Syncs the directory that holds `path`, so that a rename or a new name in it survives a power
/// cut.
Failure SyncDirectoryOf(const std::string& path);

/// The sentence for a failed system call: "cannot VERB PATH: why; what to do".
Error SystemError(std::string_view verb, std::string_view path, int error);

}  // namespace ota::server
