// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// The numbers of the IANA COSE registries that we use (RFC 9052, 9053, 9459, 9864).

namespace ota::formats {

inline constexpr uint64_t kCoseTagSign1 = 18;
inline constexpr uint64_t kCoseTagEncrypt = 96;

inline constexpr int64_t kCoseLabelAlgorithm = 1;
inline constexpr int64_t kCoseLabelCritical = 2;
inline constexpr int64_t kCoseLabelKeyId = 4;
inline constexpr int64_t kCoseLabelIv = 5;
inline constexpr int64_t kCoseLabelEphemeralKey = -1;

inline constexpr int64_t kCoseAlgorithmEs256 = -7;
inline constexpr int64_t kCoseAlgorithmEsp256 = -9;
inline constexpr int64_t kCoseAlgorithmAesGcm128 = 1;
inline constexpr int64_t kCoseAlgorithmAesCtr128 = -65534;
inline constexpr int64_t kCoseAlgorithmAesKeyWrap128 = -3;
inline constexpr int64_t kCoseAlgorithmEcdhEsAesKeyWrap128 = -29;

inline constexpr int64_t kCoseKeyLabelType = 1;
inline constexpr int64_t kCoseKeyLabelCurve = -1;
inline constexpr int64_t kCoseKeyLabelX = -2;
inline constexpr int64_t kCoseKeyLabelY = -3;
inline constexpr int64_t kCoseKeyTypeEc2 = 2;
inline constexpr int64_t kCoseCurveP256 = 1;

}  // namespace ota::formats
