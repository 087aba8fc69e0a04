// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

// The values that the P-256 operations exchange: big-endian, fixed length, leading zeros kept.

namespace ota::crypto {

inline constexpr size_t kP256CoordinateBytes = 32;

/// x, then y. Nothing says that it lies on the curve until an operation has checked it.
using P256PublicKey = std::array<uint8_t, 2 * kP256CoordinateBytes>;
using P256PublicKeySpan = std::span<const uint8_t, 2 * kP256CoordinateBytes>;

/// The scalar d.
using P256PrivateKey = std::array<uint8_t, kP256CoordinateBytes>;

/// r, then s, as COSE has them (RFC 9053, section 2.1).
using Es256Signature = std::array<uint8_t, 2 * kP256CoordinateBytes>;

}  // namespace ota::crypto
