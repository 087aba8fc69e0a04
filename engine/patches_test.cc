// SPDX-License-Identifier: Apache-2.0
// Patch-based execution: random networks give the same bytes in every arena, plain or in patches.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "base/prng.h"
#include "engine/interpreter.h"
#include "engine/test_arena.h"
#include "formats/tflite/test_model_writer.h"

namespace ota::engine {
namespace {

using formats::OperatorCode;
using formats::OptionF32;
using formats::OptionI32;
using formats::OptionU8;
using formats::SubgraphSpec;
using formats::TensorSpec;
using formats::TensorType;
using formats::ToBytes;
using Bytes = std::vector<uint8_t>;

/// A network of random layers, one after the other, with residual sums. Rows of images, or of
/// sequences, which are images one row high.
class RandomNetwork {
 public:
  RandomNetwork(uint32_t seed, TensorType type, bool is_sequence)
      : prng_(seed), type_(type), is_sequence_(is_sequence) {
    const int32_t size = 12 + static_cast<int32_t>(prng_.NextBelow(20));
    shape_ = {1, is_sequence ? 1 : size, size + 3, 1 + static_cast<int32_t>(prng_.NextBelow(6))};
    const bool is_transposed = !is_sequence && prng_.NextBelow(2) == 0;
    const auto input_shape =
        is_transposed ? std::vector<int32_t>{1, shape_[3], shape_[1], shape_[2]} : shape_;
    current_ = AddActivation(input_shape);
    graph_.inputs = {current_};
    if (is_transposed) {
      const int32_t order = AddInt32s({0, 2, 3, 1}, {4});
      AddLayer(OperatorCode::kTranspose, {order}, {});
    }
    const uint32_t layers = 3 + prng_.NextBelow(8);
    for (uint32_t i = 0; i < layers; ++i) AddRandomLayer();
    graph_.outputs = {current_};
  }

  Bytes Write() const { return formats::WriteModel(graph_); }

 private:
  int32_t AddTensor(TensorSpec tensor) {
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<int32_t>(graph_.tensors.size()) - 1;
  }

  int32_t AddActivation(std::vector<int32_t> shape) {
    TensorSpec tensor;
    tensor.type = type_;
    tensor.shape = std::move(shape);
    if (type_ != TensorType::kFloat32) tensor.scales = {0.05f};
    tensor.zero_point = type_ == TensorType::kInt8 ? 3 : 0;
    return AddTensor(tensor);
  }

  int32_t AddInt32s(const std::vector<int32_t>& values, std::vector<int32_t> shape) {
    TensorSpec tensor;
    tensor.type = TensorType::kInt32;
    tensor.shape = std::move(shape);
    tensor.data = ToBytes(values);
    return AddTensor(tensor);
  }

  int32_t AddWeights(std::vector<int32_t> shape, int32_t channels, int32_t channel_dimension) {
    TensorSpec tensor;
    uint32_t count = 1;
    for (const int32_t size : shape) count *= static_cast<uint32_t>(size);
    tensor.shape = std::move(shape);
    if (type_ == TensorType::kFloat32) {
      tensor.type = type_;
      std::vector<float> values(count);
      for (float& value : values) value = static_cast<float>(prng_.NextBelow(200)) * 0.01f - 1.0f;
      tensor.data = ToBytes(values);
      return AddTensor(tensor);
    }
    for (uint32_t i = 0; i < count; ++i) tensor.data.push_back(static_cast<uint8_t>(prng_.Next()));
    for (int32_t i = 0; i < channels; ++i) {
      tensor.scales.push_back(0.001f + 0.0002f * static_cast<float>(i));
    }
    tensor.channel_dimension = channel_dimension;
    return AddTensor(tensor);
  }

  // An operator on the current tensor, whose output becomes the current one, of shape_.
  void AddLayer(OperatorCode code, const std::vector<int32_t>& others,
                std::vector<formats::OptionField> options) {
    std::vector<int32_t> inputs = {current_};
    inputs.insert(inputs.end(), others.begin(), others.end());
    const int32_t output = AddActivation(shape_);
    graph_.operators.push_back({code, inputs, {output}, std::move(options)});
    current_ = output;
  }

  void AddRandomLayer() {
    switch (prng_.NextBelow(6)) {
      case 0:
        return AddPad();
      case 1:
        return AddConvolution(1 + static_cast<int32_t>(prng_.NextBelow(8)), true);
      case 2:
        return AddDepthwise();
      case 3:
        return AddLayer(OperatorCode::kLeakyRelu, {}, {OptionF32(0, 0.2f)});
      case 4:
        return AddPool();
      default:
        return AddResidual();
    }
  }

  // Shrinks shape_ as a window does; returns false if it is too small for that.
  bool ApplyWindow(int32_t window_height, int32_t window_width, int32_t stride, bool is_same) {
    const int32_t stride_height = is_sequence_ ? 1 : stride;
    const int32_t lost_height = is_same ? 0 : window_height - 1;
    const int32_t lost_width = is_same ? 0 : window_width - 1;
    if (shape_[1] <= lost_height + (is_sequence_ ? 0 : 4) || shape_[2] <= lost_width + 4) {
      return false;
    }
    shape_[1] = (shape_[1] - lost_height + stride_height - 1) / stride_height;
    shape_[2] = (shape_[2] - lost_width + stride - 1) / stride;
    return true;
  }

  struct Window {
    int32_t height;
    int32_t width;
    int32_t stride;
    bool is_same;
  };

  Window ChooseWindow(bool may_shrink) {
    constexpr int32_t kSizes[] = {1, 3, 5};
    const int32_t size = kSizes[prng_.NextBelow(3)];
    Window window{is_sequence_ ? 1 : size, size, 1, true};
    if (!may_shrink) return window;
    window.stride = prng_.NextBelow(4) == 0 ? 2 : 1;
    window.is_same = prng_.NextBelow(2) == 0;
    if (ApplyWindow(window.height, window.width, window.stride, window.is_same)) return window;
    return {is_sequence_ ? 1 : size, size, 1, true};
  }

  static std::vector<formats::OptionField> WindowOptions(const Window& window, bool is_sequence) {
    return {OptionU8(0, window.is_same ? 0 : 1), OptionI32(1, window.stride),
            OptionI32(2, is_sequence ? 1 : window.stride)};
  }

  void AddConvolution(int32_t channels, bool may_shrink) {
    const Window window = ChooseWindow(may_shrink);
    const int32_t depth = shape_[3];
    shape_[3] = channels;
    const int32_t weights = AddWeights({channels, window.height, window.width, depth}, channels, 0);
    AddLayer(OperatorCode::kConv2d, {weights}, WindowOptions(window, is_sequence_));
  }

  void AddDepthwise() {
    const Window window = ChooseWindow(true);
    const int32_t weights = AddWeights({1, window.height, window.width, shape_[3]}, shape_[3], 3);
    auto options = WindowOptions(window, is_sequence_);
    options.push_back(OptionI32(3, 1));
    AddLayer(OperatorCode::kDepthwiseConv2d, {weights}, options);
  }

  void AddPool() {
    const Window window{is_sequence_ ? 1 : 2, 2, 2, prng_.NextBelow(2) == 0};
    if (!ApplyWindow(window.height, 2, 2, window.is_same)) return;
    auto options = WindowOptions(window, is_sequence_);
    options.push_back(OptionI32(3, 2));
    options.push_back(OptionI32(4, window.height));
    AddLayer(prng_.NextBelow(2) == 0 ? OperatorCode::kMaxPool2d : OperatorCode::kAveragePool2d, {},
             options);
  }

  void AddPad() {
    const auto pad = [this] { return static_cast<int32_t>(prng_.NextBelow(3)); };
    std::vector<int32_t> sizes = {
        0, 0, is_sequence_ ? 0 : pad(), is_sequence_ ? 0 : pad(), pad(), pad(), 0, 0};
    for (size_t i = 0; i < shape_.size(); ++i) shape_[i] += sizes[2 * i] + sizes[2 * i + 1];
    const int32_t paddings = AddInt32s(sizes, {4, 2});
    AddLayer(OperatorCode::kPad, {paddings}, {});
  }

  void AddResidual() {
    const int32_t start = current_;
    const int32_t channels = shape_[3];
    AddConvolution(2 * channels, false);
    AddConvolution(channels, false);
    AddLayer(OperatorCode::kAdd, {start}, {});
  }

  Prng prng_;
  TensorType type_;
  bool is_sequence_;
  std::vector<int32_t> shape_;
  int32_t current_ = 0;
  SubgraphSpec graph_;
};

class UnmappedSource final : public ByteSource {
 public:
  explicit UnmappedSource(ByteSpan bytes) : memory_(bytes) {}
  uint32_t size_bytes() const override { return memory_.size_bytes(); }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    return memory_.Read(offset, target);
  }

 private:
  MemoryByteSource memory_;
};

struct Inference {
  Status status = Status::kOk;
  ModelSummary summary;
  Bytes output;
};

// One inference on inputs of `type` in an arena of so many bytes.
Inference RunIn(ByteSource& source, uint32_t arena_bytes, uint32_t page_bytes, uint32_t mac_budget,
                TensorType type) {
  TestArena arena(arena_bytes);
  Interpreter interpreter(AllOperators());
  PrepareOptions options;
  options.page_bytes = page_bytes;
  options.patch_planner = &kPatchPlanner;
  Inference run;
  run.status = interpreter.Prepare(source, arena.span(), options);
  if (run.status != Status::kOk) return run;
  Prng prng(7);
  const MutableByteSpan input = interpreter.input(0);
  for (uint8_t& byte : input) byte = static_cast<uint8_t>(prng.Next() >> 8);
  for (size_t at = 0; type == TensorType::kFloat32 && at < input.size(); at += 4) {
    const float value = static_cast<float>(prng.NextBelow(2001)) * 0.001f - 1.0f;
    std::memcpy(input.data() + at, &value, sizeof(value));
  }
  run.status = Status::kBusy;
  while (run.status == Status::kBusy) run.status = interpreter.Step(mac_budget);
  run.summary = interpreter.summary();
  EXPECT_EQ(interpreter.read_bytes(), run.summary.read_bytes);
  const ByteSpan output = interpreter.output(0);
  run.output = {output.begin(), output.end()};
  return run;
}

uint32_t PlainArena(ByteSource& source, uint32_t page_bytes) {
  TestArena workspace(1 << 18);
  PrepareOptions options;
  options.page_bytes = page_bytes;
  const auto needs = ComputeMemoryNeeds(source, AllOperators(), workspace.span(), options);
  EXPECT_TRUE(needs.ok()) << StatusName(needs.status());
  return needs.ok() ? needs->arena_bytes : 0;
}

// Runs a network in smaller and smaller arenas; returns how many of the plans had patches.
uint32_t ExpectSameInEveryArena(ByteSource& source, uint32_t page_bytes, TensorType type,
                                const Bytes& expected) {
  uint32_t patched = 0;
  const uint32_t plain = PlainArena(source, page_bytes);
  for (const uint32_t percent : {95u, 85u, 75u, 65u, 55u, 45u, 35u, 25u}) {
    const uint32_t arena = plain * percent / 100 / 8 * 8;
    const uint32_t budget = percent % 20 == 5 ? UINT32_MAX : 1;
    const Inference run = RunIn(source, arena, page_bytes, budget, type);
    if (run.status == Status::kArenaTooSmall) break;
    EXPECT_EQ(run.status, Status::kOk) << StatusName(run.status);
    EXPECT_LE(run.summary.arena_bytes, arena);
    EXPECT_EQ(run.output, expected) << "arena " << arena << ", page " << page_bytes;
    if (run.summary.chain_count > 0) ++patched;
  }
  return patched;
}

TEST(Patches, GiveTheSameBytesAsThePlainPlanInEveryArena) {
  constexpr TensorType kTypes[] = {TensorType::kInt8, TensorType::kInt16, TensorType::kFloat32};
  uint32_t patched = 0;
  for (uint32_t seed = 1; seed <= 60; ++seed) {
    const TensorType type = seed % 4 == 0 ? kTypes[1 + seed / 4 % 2] : kTypes[0];
    SCOPED_TRACE("replay: seed " + std::to_string(seed));
    const Bytes bytes = RandomNetwork(seed, type, seed % 3 == 0).Write();
    MemoryByteSource mapped(bytes);
    UnmappedSource unmapped(bytes);
    const Inference plain = RunIn(mapped, PlainArena(mapped, 0), 0, UINT32_MAX, type);
    ASSERT_EQ(plain.status, Status::kOk) << StatusName(plain.status);
    ASSERT_EQ(plain.summary.chain_count, 0u);
    patched += ExpectSameInEveryArena(mapped, 0, type, plain.output);
    patched += ExpectSameInEveryArena(unmapped, 256, type, plain.output);
    patched += ExpectSameInEveryArena(unmapped, 0, type, plain.output);
  }
  EXPECT_GE(patched, 120u);
}

TEST(Patches, FitEveryArenaAboveOneThatTheyFit) {
  TestArena workspace(1 << 18);
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("replay: seed " + std::to_string(seed));
    const Bytes bytes = RandomNetwork(seed, TensorType::kInt8, seed % 3 == 0).Write();
    MemoryByteSource source(bytes);
    const uint32_t plain = PlainArena(source, 0);
    uint32_t unfit = 0;
    for (uint32_t percent = 99; percent > 20; --percent) {
      PrepareOptions options;
      options.patch_planner = &kPatchPlanner;
      options.arena_bytes = plain * percent / 100 / 8 * 8;
      const bool fits = ComputeMemoryNeeds(source, AllOperators(), workspace.span(), options).ok();
      EXPECT_FALSE(fits && unfit != 0) << options.arena_bytes << " do, " << unfit << " do not";
      if (!fits) unfit = options.arena_bytes;
    }
  }
}

TEST(Patches, NeedWhatComputeMemoryNeedsSaysForTheArena) {
  uint32_t patched = 0;
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("replay: seed " + std::to_string(seed));
    const Bytes bytes = RandomNetwork(seed, TensorType::kInt8, seed % 2 == 0).Write();
    MemoryByteSource source(bytes);
    TestArena workspace(1 << 18);
    PrepareOptions options;
    options.patch_planner = &kPatchPlanner;
    options.arena_bytes = PlainArena(source, 0) * 85 / 100 / 8 * 8;
    const auto needs = ComputeMemoryNeeds(source, AllOperators(), workspace.span(), options);
    if (needs.status() == Status::kArenaTooSmall) continue;
    ASSERT_TRUE(needs.ok()) << StatusName(needs.status());
    EXPECT_GT(needs->patch_count, needs->chain_count);
    const Inference run = RunIn(source, options.arena_bytes, 0, UINT32_MAX, TensorType::kInt8);
    EXPECT_EQ(run.summary.arena_bytes, needs->arena_bytes);
    EXPECT_EQ(run.summary.patch_count, needs->patch_count);
    ++patched;
  }
  EXPECT_GE(patched, 5u);
}

}  // namespace
}  // namespace ota::engine
