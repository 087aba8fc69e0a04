// SPDX-License-Identifier: Apache-2.0
#include "engine/operators/streamed_row.h"

namespace ota::engine {

Result<int32_t> DotRowS8(RunContext& context, const StreamedMatrix& matrix, uint32_t row,
                         const int8_t* vector, int32_t zero_point, uint8_t* page,
                         uint32_t page_bytes) {
  uint32_t sum = 0;
  OTA_TRY(ForEachPieceOfRow(context, matrix, row, 1, page, page_bytes,
                            [&](const uint8_t* bytes, uint32_t first, uint32_t count) {
                              for (uint32_t i = 0; i < count; ++i) {
                                const auto weight = static_cast<int8_t>(bytes[i]);
                                sum += static_cast<uint32_t>(weight *
                                                             (vector[first + i] - zero_point));
                              }
                            }));
  return static_cast<int32_t>(sum);
}

}  // namespace ota::engine
