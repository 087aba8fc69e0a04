// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "engine/operator_table.h"

namespace ota::engine {

bool HasCustomName(formats::ModelReader& model, const formats::OperatorInfo& info,
                   const char* name) {
  const size_t length = std::strlen(name);
  if (info.custom_name_bytes != length) return false;
  for (uint32_t i = 0; i < length; ++i) {
    const uint8_t character = model.reader().ReadU8(info.custom_name_offset + i);
    if (character != static_cast<uint8_t>(name[i])) return false;
  }
  return IsOk(model.reader().status());
}

}  // namespace ota::engine
