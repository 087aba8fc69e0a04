// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <vector>

#include "formats/trust/manifest_verification.h"

namespace ota::agent {

/// For tests: who the device is that takes updates, and what it can run.
struct TestDevice {
  formats::DeviceProfile Profile() const {
    formats::DeviceProfile device;
    device.vendor_id = vendor_id;
    device.class_ids = class_ids;
    device.kinds = 1u << static_cast<uint32_t>(formats::ComponentKind::kModel);
    device.units = units;
    device.engine_version = 1;
    device.arena_bytes = 900'000;
    device.plans = 1;
    return device;
  }

  const std::vector<uint8_t> vendor_id = std::vector<uint8_t>(formats::kUuidBytes, 0xA1);
  const std::vector<uint8_t> class_id = std::vector<uint8_t>(formats::kUuidBytes, 0xC1);
  const std::array<ByteSpan, 1> class_ids = {class_id};
  const std::array<formats::UnitLimits, 1> units = {
      formats::UnitLimits{formats::MemoryUnit::kOnChipFlash, 1, 1'000'000}};
};

}  // namespace ota::agent
