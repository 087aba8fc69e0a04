// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

// How evenly ten thousand updates wear a medium: for the test that holds them to it, and for the
// benchmark that prints it.

namespace ota::storage {

/// How often units that share a purpose were erased or written.
struct WearSpread {
  double mean = 0;
  uint32_t least = 0;
  uint32_t most = 0;

  /// How far the most worn unit is above the even share, which is the mean: 0.1 is a tenth.
  double excess() const { return mean == 0 ? 0 : (most - mean) / mean; }
};

struct WearReport {
  WearSpread journal;  ///< of a raw store
  WearSpread images;   ///< of a raw store: its slots
  WearSpread all;      ///< all units that the store lies on
  uint32_t refused_count = 0;
};

struct WearRequest {
  std::string world;
  uint32_t update_count = 10000;
  uint32_t model_bytes = 600;  ///< of the model that is updated, at most; at least 3/4 of it
  uint32_t static_count = 1;   ///< models that never change,
  uint32_t static_model_bytes = 9000;  ///< and their size
  uint32_t segment_count = 0;          ///< of the journal of a raw store; 0: by its size
};

/// Updates a model again and again, with power cut in every tenth update and a restart after it;
/// then reads the others. On a raw store ModelRotation moves these now and then. kDigestMismatch:
/// one of them is not what it was. Others as ModelStore.
Result<WearReport> MeasureWear(const WearRequest& request);

}  // namespace ota::storage
