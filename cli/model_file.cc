// SPDX-License-Identifier: Apache-2.0
#include "cli/model_file.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/prng.h"
#include "base/status.h"
#include "base/units.h"
#include "cli/commands.h"

namespace ota::cli {

using engine::Interpreter;
using formats::TensorInfo;
using formats::TensorType;

namespace {

constexpr uint32_t kWorkspaceBytes = MiB(8);

std::string NameOperator(ByteSource& source, int32_t index) {
  formats::ModelReader model(source);
  if (!IsOk(model.Open())) return "";
  const auto info = model.ReadOperator(static_cast<uint32_t>(index));
  if (!info.ok()) return "";
  char name[64];
  const auto text = model.ReadOperatorName(*info, name);
  return text.ok() ? " (" + std::string(*text) + ")" : "";
}

uint32_t ParseNumber(const std::string& text, const std::string& what) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw CommandError("'" + text + "' is not a number; give " + what, 2);
  }
  return value;
}

template <typename T>
void FillWith(std::span<uint8_t> bytes, T value) {
  for (size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    std::memcpy(bytes.data() + at, &value, sizeof(T));
  }
}

void FillConstant(std::span<uint8_t> bytes, const TensorInfo& tensor, bool is_max) {
  switch (tensor.type) {
    case TensorType::kFloat32:
      return FillWith(bytes, is_max ? 1.0f : 0.0f);
    case TensorType::kInt8:
      return FillWith(bytes, static_cast<int8_t>(is_max ? 127 : tensor.zero_point));
    case TensorType::kUint8:
      return FillWith(bytes, static_cast<uint8_t>(is_max ? 255 : tensor.zero_point));
    case TensorType::kBool:
      return FillWith(bytes, static_cast<uint8_t>(is_max ? 1 : 0));
    case TensorType::kInt16:
      return FillWith(bytes, static_cast<int16_t>(is_max ? 32767 : tensor.zero_point));
    case TensorType::kInt32:
      return FillWith(bytes, is_max ? INT32_MAX : tensor.zero_point);
    default:
      return FillWith(bytes, is_max ? INT64_MAX : int64_t{tensor.zero_point});
  }
}

void FillRandom(std::span<uint8_t> bytes, TensorType type, Prng& prng) {
  if (type == TensorType::kFloat32) {
    for (size_t at = 0; at + 4 <= bytes.size(); at += 4) {
      const float value = static_cast<float>(prng.Next() >> 8) * (1.0f / 8388608.0f) - 1.0f;
      std::memcpy(bytes.data() + at, &value, sizeof(value));
    }
    return;
  }
  uint32_t word = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i % 4 == 0) word = prng.Next();
    bytes[i] = static_cast<uint8_t>(word >> (8 * (i % 4)));
    if (type == TensorType::kBool) bytes[i] &= 1;
  }
}

TensorInfo ReadInput(Interpreter& interpreter, uint32_t index) {
  const auto info = interpreter.ReadInputInfo(index);
  if (!info.ok()) throw CommandError("cannot read the model's input " + std::to_string(index));
  return *info;
}

bool EndsWith(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Pixels of an 8-bit Windows bitmap, top row first.
std::vector<uint8_t> DecodeBitmap(const std::vector<uint8_t>& file, const std::string& path) {
  constexpr size_t kHeaderBytes = 54;
  const bool is_bitmap = file.size() >= kHeaderBytes && file[0] == 'B' && file[1] == 'M';
  if (!is_bitmap || LoadLe16(&file[28]) != 8 || LoadLe32(&file[30]) != 0) {
    throw CommandError(path + " is no uncompressed bitmap of 8 bits per pixel; convert it first");
  }
  const uint32_t width = LoadLe32(&file[18]);
  const auto signed_height = static_cast<int32_t>(LoadLe32(&file[22]));
  const auto height = static_cast<uint32_t>(std::abs(signed_height));
  const uint32_t offset = LoadLe32(&file[10]);
  const uint64_t stride = (uint64_t{width} + 3) / 4 * 4;
  if (width > 65536 || height > 65536 || !IsInBounds(offset, stride * height, file.size())) {
    throw CommandError(path + " is shorter than its picture; copy it again");
  }
  std::vector<uint8_t> pixels;
  for (uint32_t row = 0; row < height; ++row) {
    const uint32_t stored = signed_height > 0 ? height - 1 - row : row;
    const auto first = file.begin() + static_cast<ptrdiff_t>(offset + stride * stored);
    pixels.insert(pixels.end(), first, first + width);
  }
  return pixels;
}

std::vector<uint8_t> DecodeArray(const std::vector<uint8_t>& file, const std::string& path) {
  constexpr char kMagic[] = "\x93NUMPY";
  const bool is_array = file.size() >= 12 && std::memcmp(file.data(), kMagic, 6) == 0;
  const size_t header = !is_array      ? 0
                        : file[6] == 1 ? 10u + LoadLe16(&file[8])
                                       : 12u + LoadLe32(&file[8]);
  if (header == 0 || header > file.size()) throw CommandError(path + " is no .npy array");
  const std::string text(file.begin() + 10, file.begin() + static_cast<ptrdiff_t>(header));
  if (text.find("'fortran_order': False") == std::string::npos ||
      text.find("'>") != std::string::npos) {
    throw CommandError(path + " must be little endian in C order; save it with numpy's default");
  }
  return {file.begin() + static_cast<ptrdiff_t>(header), file.end()};
}

}  // namespace

AlignedBytes::AlignedBytes(size_t size)
    : bytes_(std::make_unique<uint8_t[]>(size + engine::kArenaAlignment)), size_(size) {
  const auto address = reinterpret_cast<uintptr_t>(bytes_.get());
  const size_t skip =
      (engine::kArenaAlignment - address % engine::kArenaAlignment) % engine::kArenaAlignment;
  aligned_ = bytes_.get() + skip;
}

SourceChoice SourceChoice::Parse(const std::string& text) {
  if (text == "map") return {};
  if (text == "stream") return {false, 0};
  const std::string prefix = "stream:";
  if (text.rfind(prefix, 0) != 0) {
    throw CommandError("'" + text + "' is no source; give map, stream or stream:BYTES", 2);
  }
  const uint32_t page = ParseNumber(text.substr(prefix.size()), "stream:BYTES");
  if (page < engine::kPageBytesMin) {
    throw CommandError("a page of " + std::to_string(page) + " bytes is too small; give " +
                           std::to_string(engine::kPageBytesMin) + " or more",
                       2);
  }
  return {false, page};
}

std::vector<uint8_t> ReadFile(const std::string& path) {
  std::error_code ignored;  // a path that cannot be looked at cannot be opened either
  if (std::filesystem::is_directory(path, ignored)) {
    throw CommandError(path + " is a folder; give a file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) throw CommandError("cannot open " + path + "; check the path and permissions");
  std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(file)), {});
  if (file.bad()) throw CommandError("cannot read " + path);
  return bytes;
}

ModelFile::ModelFile(const std::string& path, const SourceChoice& choice)
    : path_(path),
      bytes_([&path] {
        const std::vector<uint8_t> file = ReadFile(path);
        AlignedBytes bytes(file.size());
        std::copy(file.begin(), file.end(), bytes.span().begin());
        return bytes;
      }()),
      choice_(choice),
      mapped_(bytes_.span()),
      unmapped_(bytes_.span()),
      source_(choice.is_mapped ? static_cast<ByteSource*>(&mapped_) : &unmapped_),
      interpreter_(engine::AllOperators()) {}

void ModelFile::Throw(Status status, int32_t failed_operator) {
  std::string message = path_ + ": " + std::string(StatusSentence(status));
  if (failed_operator >= 0) {
    message += " Operator " + std::to_string(failed_operator) +
               NameOperator(*source_, failed_operator) + ".";
  }
  throw CommandError(message + " [" + std::string(StatusName(status)) + "]");
}

void ModelFile::ThrowTooSmall(uint32_t arena_bytes) {
  throw CommandError(path_ + ": an arena of " + std::to_string(arena_bytes) +
                     " bytes is too small, even in patches; the plain plan needs " +
                     std::to_string(ComputeNeeds().arena_bytes) + " [ArenaTooSmall]");
}

Result<engine::ModelSummary> ModelFile::TryNeeds(uint32_t arena_bytes, int32_t* failed_operator) {
  AlignedBytes workspace(kWorkspaceBytes);
  engine::PrepareOptions options;
  options.page_bytes = choice_.page_bytes;
  options.patch_planner = &engine::kPatchPlanner;
  options.arena_bytes = arena_bytes;
  return engine::ComputeMemoryNeeds(*source_, engine::AllOperators(), workspace.span(), options,
                                    failed_operator);
}

engine::ModelSummary ModelFile::ComputeNeeds(uint32_t arena_bytes) {
  int32_t failed_operator = -1;
  const auto needs = TryNeeds(arena_bytes, &failed_operator);
  if (needs.status() == Status::kArenaTooSmall && arena_bytes != 0) ThrowTooSmall(arena_bytes);
  if (!needs.ok()) Throw(needs.status(), failed_operator);
  return *needs;
}

bool ModelFile::FitsArena(uint32_t arena_bytes) { return TryNeeds(arena_bytes, nullptr).ok(); }

void ModelFile::Prepare(uint32_t arena_bytes) {
  arena_ = AlignedBytes(arena_bytes == 0 ? ComputeNeeds().arena_bytes : arena_bytes);
  engine::PrepareOptions options;
  options.page_bytes = choice_.page_bytes;
  options.patch_planner = &engine::kPatchPlanner;
  const Status status = interpreter_.Prepare(*source_, arena_.span(), options);
  if (status == Status::kArenaTooSmall) ThrowTooSmall(arena_bytes);
  if (!IsOk(status)) Throw(status, interpreter_.failed_operator());
}

std::string DescribePlan(const engine::ModelSummary& summary) {
  if (summary.chain_count == 0) return "plain";
  return std::to_string(summary.chain_count) + " chains of " +
         std::to_string(summary.chained_operator_count) + " operators in " +
         std::to_string(summary.patch_count) + " patches, extra MACs 0 (0 %)";
}

std::string DescribeTensor(const TensorInfo& tensor) {
  std::string text = formats::TensorTypeName(tensor.type);
  text += '[';
  for (uint32_t i = 0; i < tensor.rank; ++i) {
    text += (i == 0 ? "" : ",") + std::to_string(tensor.dimension(i));
  }
  text += ']';
  if (tensor.scale_count == 0) return text;
  char quantization[64];
  std::snprintf(quantization, sizeof(quantization), ", scale %.9g, zero point %d",
                static_cast<double>(tensor.scale), tensor.zero_point);
  return text + quantization;
}

void FillInputs(Interpreter& interpreter, const std::string& what) {
  const std::string prefix = "random:";
  const bool is_random = what.rfind(prefix, 0) == 0;
  if (!is_random && what != "zero" && what != "max") {
    throw CommandError("'" + what + "' is no input; give a file, zero, max or random:SEED", 2);
  }
  const uint32_t seed = is_random ? ParseNumber(what.substr(prefix.size()), "random:SEED") : 1;
  if (seed == 0) throw CommandError("a seed must not be 0", 2);
  Prng prng(seed);
  for (uint32_t i = 0; i < interpreter.input_count(); ++i) {
    const TensorInfo tensor = ReadInput(interpreter, i);
    if (is_random) {
      FillRandom(interpreter.input(i), tensor.type, prng);
    } else {
      FillConstant(interpreter.input(i), tensor, what == "max");
    }
  }
}

void FillInputsFromFile(Interpreter& interpreter, const std::string& path) {
  std::vector<uint8_t> bytes = ReadFile(path);
  if (EndsWith(path, ".bmp")) bytes = DecodeBitmap(bytes, path);
  if (EndsWith(path, ".npy")) bytes = DecodeArray(bytes, path);
  size_t wanted = 0;
  for (uint32_t i = 0; i < interpreter.input_count(); ++i) wanted += interpreter.input(i).size();
  if (bytes.size() != wanted) {
    throw CommandError(path + " has " + std::to_string(bytes.size()) +
                       " bytes, the model's input " + std::to_string(wanted) +
                       "; give a file of that size [InputSizeWrong]");
  }
  size_t at = 0;
  for (uint32_t i = 0; i < interpreter.input_count(); ++i) {
    const auto input = interpreter.input(i);
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(at), input.size(), input.begin());
    at += input.size();
  }
}

}  // namespace ota::cli
