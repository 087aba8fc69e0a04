// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "engine/interpreter.h"

// A model in a file, prepared to run on the host: what `run`, `inspect` and `conformance` share.

namespace ota::cli {

/// Bytes at an address that suits an arena.
class AlignedBytes {
 public:
  explicit AlignedBytes(size_t size);
  std::span<uint8_t> span() { return {aligned_, size_}; }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  uint8_t* aligned_;
  size_t size_;
};

/// How a command reads its model: in memory, or through pages as from a unit that is not mapped.
struct SourceChoice {
  bool is_mapped = true;
  uint32_t page_bytes = 0;

  /// Of "map", "stream" (pages as large as suits the arena) or "stream:BYTES".
  /// CommandError: anything else.
  static SourceChoice Parse(const std::string& text);
};

/// A source over bytes in memory that does not say that they are there.
class UnmappedByteSource final : public ByteSource {
 public:
  explicit UnmappedByteSource(ByteSpan bytes) : memory_(bytes) {}
  uint32_t size_bytes() const override { return memory_.size_bytes(); }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    return memory_.Read(offset, target);
  }

 private:
  MemoryByteSource memory_;
};

/// A model file, its source, and an interpreter over it. Not movable: parts refer to one another.
class ModelFile {
 public:
  /// Reads the file. CommandError: it cannot be read.
  ModelFile(const std::string& path, const SourceChoice& choice);
  ModelFile(const ModelFile&) = delete;
  ModelFile& operator=(const ModelFile&) = delete;

  ByteSource& source() { return *source_; }
  engine::Interpreter& interpreter() { return interpreter_; }
  const std::string& path() const { return path_; }

  /// Costs of the model in an arena of so many bytes; 0: as many as the plain plan needs.
  /// CommandError: it cannot be run so, with the reason.
  engine::ModelSummary ComputeNeeds(uint32_t arena_bytes = 0);
  /// Whether it can be run in an arena of so many bytes, in patches if need be.
  bool FitsArena(uint32_t arena_bytes);
  /// Prepares in an arena of so many bytes; 0: exactly as many as the model needs.
  /// CommandError: it cannot be prepared, with the reason and the bytes it needs.
  void Prepare(uint32_t arena_bytes = 0);

 private:
  Result<engine::ModelSummary> TryNeeds(uint32_t arena_bytes, int32_t* failed_operator);
  [[noreturn]] void ThrowTooSmall(uint32_t arena_bytes);
  [[noreturn]] void Throw(Status status, int32_t failed_operator);

  std::string path_;
  AlignedBytes bytes_;
  SourceChoice choice_;
  MemoryByteSource mapped_;
  UnmappedByteSource unmapped_;
  ByteSource* source_;
  engine::Interpreter interpreter_;
  AlignedBytes arena_{0};
};

/// "plain", or "3 chains of 40 operators in 31 patches, extra MACs 0 (0.00 %)".
std::string DescribePlan(const engine::ModelSummary& summary);

/// "int8[1,96,96,1], scale 0.0078, zero point -1".
std::string DescribeTensor(const formats::TensorInfo& tensor);

/// Fills every input: "zero" (the real value 0), "max", or "random:SEED" (the generator of the
/// golden vectors). CommandError: another text.
void FillInputs(engine::Interpreter& interpreter, const std::string& what);

/// Fills the inputs, one after the other, from a file: a picture (.bmp, 8 bits per pixel, top row
/// first, bytes unchanged), an array (.npy, little endian, C order), or raw bytes.
/// CommandError: it cannot be read, or has not as many bytes as the inputs.
void FillInputsFromFile(engine::Interpreter& interpreter, const std::string& path);

/// The whole of a file. CommandError: it cannot be read.
std::vector<uint8_t> ReadFile(const std::string& path);

}  // namespace ota::cli
