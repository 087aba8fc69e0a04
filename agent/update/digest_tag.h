// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "crypto/sha256.h"

// The entity tag of artifacts that are named by their digest: `"<64 hexadecimal digits>"`.

namespace ota::agent {

inline constexpr size_t kDigestTagBytes = 2 + 2 * crypto::kSha256Bytes;

/// Nothing: it is a tag of another form.
std::optional<crypto::Sha256Digest> ParseDigestTag(std::string_view tag);

void FormatDigestTag(const crypto::Sha256Digest& digest, std::span<char, kDigestTagBytes> target);

}  // namespace ota::agent
