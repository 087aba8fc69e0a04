// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "formats/tflite/flatbuffer_reader.h"

namespace ota::formats {

/// Reads the whole numbers in a FlexBuffers map, the form in which custom operators keep their
/// options (format: "FlexBuffers" in the FlatBuffers documentation, internals). Holds positions
/// only. Trust: bounded by the bytes given, whatever they say.
class FlexMapReader {
 public:
  /// `bytes` are the map's, in the file that `reader` reads; `reader` must outlive this.
  FlexMapReader(FlatbufferReader& reader, const FlatVector& bytes)
      : reader_(reader), begin_(bytes.position), size_(bytes.count) {}

  /// Finds the map at the root. kModelMalformed: the root is no map, or lies outside of the bytes.
  /// Or what the reader met.
  Status Open();

  /// The value of `key`, a signed or unsigned number or a boolean. kModelMalformed: there is no
  /// such key, its value is no such number or does not fit 32 bits, or the map breaks its format.
  Result<int32_t> FindInteger(std::string_view key);

 private:
  /// An unsigned number of `width` bytes (1, 2, 4, 8), which must lie in the map's bytes.
  Result<uint64_t> ReadNumber(uint32_t offset, uint32_t width);
  /// The offset that the reference at `offset` points back to.
  Result<uint32_t> FollowReference(uint32_t offset, uint32_t width);
  Result<bool> IsKeyAt(uint32_t offset, std::string_view key);
  Result<int32_t> ReadValue(uint32_t index);

  FlatbufferReader& reader_;
  uint32_t begin_;
  uint32_t size_;
  uint32_t values_ = 0;  ///< offset of the first value
  uint32_t width_ = 0;   ///< bytes of a value
  uint32_t count_ = 0;
  uint32_t keys_ = 0;  ///< offset of the first key's reference
  uint32_t key_width_ = 0;
};

}  // namespace ota::formats
