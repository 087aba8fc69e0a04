// SPDX-License-Identifier: Apache-2.0
// Runs the model that lies in non-volatile memory, in place or streamed, and prints what it costs
// and gives.
#include <algorithm>

#include "engine/interpreter.h"
#include "firmware/board.h"
#include "firmware/golden_input.h"
#include "firmware/run_model.h"

namespace ota::firmware {
namespace {

constexpr uint32_t kArenaBytesMax = 2 * 1024 * 1024;
alignas(engine::kArenaAlignment) uint8_t arena_memory[kArenaBytesMax];

void PrintFigure(std::string_view name, uint64_t value) {
  WriteConsole(name);
  WriteConsole(" ");
  WriteConsole(value);
  WriteConsole("\n");
}

Status FillInputs(engine::Interpreter& interpreter, uint32_t golden_case) {
  GoldenInput golden(golden_case);
  for (uint32_t index = 0; index < interpreter.input_count(); ++index) {
    formats::TensorInfo info;
    OTA_TRY(interpreter.ReadInputInfo(index, info));
    golden.Fill(info, interpreter.input(index));
  }
  return Status::kOk;
}

/// The model's bytes, which must be read.
class UnmappedByteSource final : public ByteSource {
 public:
  explicit UnmappedByteSource(ByteSpan bytes) : source_(bytes) {}

  uint32_t size_bytes() const override { return source_.size_bytes(); }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    return source_.Read(offset, target);
  }

 private:
  MemoryByteSource source_;
};

Status Run(const RunModelJob& job, ByteSource& source) {
  engine::Interpreter interpreter(RunModelOperators());
  const MutableByteSpan memory(arena_memory);
  engine::PrepareOptions options;
  options.page_bytes = job.page_bytes;
  OTA_TRY(interpreter.Prepare(source, memory, options));
  const uint32_t arena_bytes =
      job.arena_bytes != 0 ? job.arena_bytes : interpreter.summary().arena_bytes;
  if (arena_bytes > memory.size()) return Status::kArenaTooSmall;
  const uint64_t start = ReadInstructionCounter();
  OTA_TRY(interpreter.Prepare(source, memory.first(arena_bytes), options));
  const uint64_t prepared = ReadInstructionCounter();
  OTA_TRY(FillInputs(interpreter, job.golden_case));
  const uint64_t filled = ReadInstructionCounter();
  OTA_TRY(interpreter.Invoke());
  const uint64_t invoked = ReadInstructionCounter();
  PrintFigure("arena_bytes", arena_bytes);
  PrintFigure("plan_bytes", interpreter.summary().plan_bytes);
  PrintFigure("prepare_instructions", prepared - start);
  PrintFigure("invoke_instructions", invoked - filled);
  PrintFigure("read_bytes", interpreter.read_bytes());
  for (uint32_t index = 0; index < interpreter.output_count(); ++index) {
    WriteConsole("output ");
    WriteConsoleHex(interpreter.output(index));
    WriteConsole("\n");
  }
  return Status::kOk;
}

}  // namespace

uint8_t RunApplication() {
  const ByteSpan memory = non_volatile_memory();
  const RunModelJob job{LoadLe32(memory.data()), LoadLe32(memory.data() + 4),
                        LoadLe32(memory.data() + 8), LoadLe32(memory.data() + 12)};
  if (!IsInBounds(kRunModelOffset, job.model_bytes, memory.size())) return 2;
  const ByteSpan model = memory.subspan(kRunModelOffset, job.model_bytes);
  MemoryByteSource mapped(model);
  UnmappedByteSource unmapped(model);
  const Status status = job.page_bytes == 0 ? Run(job, mapped) : Run(job, unmapped);
  if (IsOk(status)) return 0;
  WriteConsole("status ");
  WriteConsole(StatusName(status));
  WriteConsole("\n");
  return 1;
}

}  // namespace ota::firmware
