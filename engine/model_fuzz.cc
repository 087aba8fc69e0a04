// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "base/byte_source.h"
#include "engine/interpreter.h"
#include "formats/tflite/model_validator.h"

namespace {

using ota::ByteSpan;
using ota::MemoryByteSource;
using ota::Status;

// A source whose bytes must be read, and whose memory nobody is shown.
class UnmappedSource final : public ota::ByteSource {
 public:
  explicit UnmappedSource(ByteSpan bytes) : memory_(bytes) {}
  uint32_t size_bytes() const override { return memory_.size_bytes(); }
  Status Read(uint32_t offset, ota::MutableByteSpan target) override {
    return memory_.Read(offset, target);
  }

 private:
  MemoryByteSource memory_;
};

constexpr size_t kArenaBytes = 64 * 1024;
constexpr uint32_t kStepsMax = 64;
constexpr uint32_t kStepMacs = 1 << 16;

alignas(16) uint8_t mapped_arena[kArenaBytes];
alignas(16) uint8_t streamed_arena[kArenaBytes];

// Runs the model, unless it would take long; true if there are outputs.
bool Run(ota::engine::Interpreter& interpreter, ota::ByteSource& source, uint8_t* arena,
         const ota::engine::PrepareOptions& options) {
  std::fill_n(arena, kArenaBytes, uint8_t{0});
  if (interpreter.Prepare(source, {arena, kArenaBytes}, options) != Status::kOk) return false;
  for (uint32_t i = 0; i < interpreter.input_count(); ++i) {
    const auto input = interpreter.input(i);
    for (size_t at = 0; at < input.size(); ++at) input[at] = static_cast<uint8_t>(at * 7 + 1);
  }
  Status status = Status::kBusy;
  for (uint32_t step = 0; step < kStepsMax && status == Status::kBusy; ++step) {
    status = interpreter.Step(kStepMacs);
  }
  return status == Status::kOk;
}

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

// Whatever the bytes: no crash; and a model that runs gives the same outputs from memory and
// through a page.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  MemoryByteSource mapped(ByteSpan(data, size));
  UnmappedSource streamed(ByteSpan(data, size));
  Require(ota::formats::VerifyModel(mapped) == ota::formats::VerifyModel(streamed));
  ota::engine::Interpreter first(ota::engine::AllOperators());
  ota::engine::Interpreter second(ota::engine::AllOperators());
  if (!Run(first, mapped, mapped_arena, {})) return 0;
  if (!Run(second, streamed, streamed_arena, {.page_bytes = 256})) return 0;
  for (uint32_t i = 0; i < first.output_count(); ++i) {
    const ByteSpan a = first.output(i);
    const ByteSpan b = second.output(i);
    Require(std::equal(a.begin(), a.end(), b.begin(), b.end()));
  }
  return 0;
}
