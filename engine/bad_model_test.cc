// SPDX-License-Identifier: Apache-2.0
// Models whose structure is sound and whose graph is not: refused before anything runs.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "engine/interpreter.h"
#include "engine/test_models.h"

namespace ota::engine {
namespace {

using formats::OperatorCode;
using formats::OptionField;
using formats::OptionI32;
using formats::TensorSpec;
using formats::TensorType;

constexpr size_t kArenaBytes = 1 << 16;

/// What Prepare says; a model that is prepared must also run, unless it gathers from outside.
Status TryModel(const TestModel& model) {
  alignas(kArenaAlignment) static uint8_t arena[kArenaBytes];
  const std::vector<uint8_t> bytes = model.Write();
  MemoryByteSource source(bytes);
  Interpreter interpreter(AllOperators());
  const Status prepared = interpreter.Prepare(source, arena);
  if (!IsOk(prepared)) return prepared;
  const Status status = interpreter.Invoke();
  const bool is_gather = model.graph.operators[0].code == OperatorCode::kGather;
  EXPECT_TRUE(IsOk(status) || (is_gather && status == Status::kOutOfRange)) << model.name;
  return prepared;
}

TestModel FindModel(const std::string& name) {
  for (TestModel& model : MakeTestModels()) {
    if (model.name == name) return std::move(model);
  }
  ADD_FAILURE() << "no model is called " << name;
  return {};
}

TEST(BadModel, OperatorsWithoutOperandsAreRefused) {
  for (const TestModel& model : MakeTestModels()) {
    for (size_t i = 0; i < model.graph.operators.size(); ++i) {
      TestModel changed = model;
      changed.graph.operators[i].inputs.clear();
      if (!model.graph.operators[i].inputs.empty()) {
        EXPECT_NE(TryModel(changed), Status::kOk) << model.name;
      }
      changed = model;
      changed.graph.operators[i].outputs.clear();
      if (!model.graph.operators[i].outputs.empty()) {
        EXPECT_NE(TryModel(changed), Status::kOk) << model.name;
      }
    }
  }
}

TEST(BadModel, OperandsThatAreLeftOutAreRefusedUnlessOptional) {
  for (const TestModel& model : MakeTestModels()) {
    const std::vector<int32_t>& inputs = model.graph.operators[0].inputs;
    for (size_t operand = 0; operand < inputs.size(); ++operand) {
      TestModel changed = model;
      changed.graph.operators[0].inputs[operand] = -1;
      const Status status = TryModel(changed);
      if (operand == 0 && model.graph.operators[0].code != OperatorCode::kTransposeConv) {
        EXPECT_NE(status, Status::kOk) << model.name;
      }
    }
  }
}

TEST(BadModel, OperandsOfOtherTypesAreRefused) {
  for (const TestModel& model : MakeTestModels()) {
    if (model.graph.operators[0].code == OperatorCode::kShape) continue;  // takes any
    const std::vector<int32_t>& inputs = model.graph.operators[0].inputs;
    for (size_t operand = 0; operand < inputs.size(); ++operand) {
      for (const TensorType type : {TensorType::kString, TensorType::kComplex64,
                                    TensorType::kVariant, TensorType::kFloat16}) {
        TestModel changed = model;
        TensorSpec& tensor = changed.graph.tensors[static_cast<size_t>(inputs[operand])];
        tensor.type = type;
        const Status status = TryModel(changed);
        EXPECT_TRUE(!tensor.data.empty() || status != Status::kOk) << model.name;
      }
    }
  }
}

TEST(BadModel, ChangedShapesAreRefusedOrRun) {
  for (const TestModel& model : MakeTestModels()) {
    for (size_t i = 0; i < model.graph.tensors.size(); ++i) {
      for (size_t axis = 0; axis < model.graph.tensors[i].shape.size(); ++axis) {
        for (const int32_t size : {0, 1, 2, 65536}) {
          TestModel changed = model;
          changed.graph.tensors[i].shape[axis] = size;
          (void)TryModel(changed);  // which of them fit is not this test's business
        }
      }
      TestModel changed = model;
      changed.graph.tensors[i].shape.clear();
      (void)TryModel(changed);  // likewise
    }
  }
}

TEST(BadModel, NumbersWithoutAScaleAreRefused) {
  for (const char* const name : {"conv_2d_int8", "depthwise_conv_2d_int8", "fully_connected_int8",
                                 "transpose_conv_int8", "add_int8", "mul_int8", "softmax_s8",
                                 "average_pool_2d_int8", "mean_int8", "logistic_s16"}) {
    const TestModel model = FindModel(name);
    for (const int32_t tensor : {model.graph.inputs[0], model.graph.outputs[0]}) {
      TestModel changed = model;
      changed.graph.tensors[static_cast<size_t>(tensor)].scales.clear();
      EXPECT_EQ(TryModel(changed), Status::kUnsupportedQuantization) << name;
    }
  }
}

/// Sets an option of the first operator.
void SetOption(TestModel& model, OptionField option) {
  std::vector<OptionField>& options = model.graph.operators[0].options;
  std::erase_if(options, [&](const OptionField& other) { return other.slot == option.slot; });
  options.push_back(std::move(option));
}

TEST(BadModel, StridesBelowOneAreRefused) {
  for (const char* const name : {"conv_2d_int8", "conv_2d_float32", "depthwise_conv_2d_int8",
                                 "transpose_conv_int16", "max_pool_2d_int8"}) {
    for (const uint32_t slot : {1u, 2u}) {
      for (const int32_t stride : {0, -1, INT32_MIN}) {
        TestModel model = FindModel(name);
        SetOption(model, OptionI32(slot, stride));
        EXPECT_EQ(TryModel(model), Status::kUnsupportedShape) << name << " stride " << stride;
      }
    }
  }
}

TEST(BadModel, AxesOutsideOfTheTensorAreRefused) {
  struct AxisOption {
    const char* model;
    uint32_t slot;
    int32_t rank;
  };
  for (const AxisOption& entry : {AxisOption{"concatenation_int8", 0, 3},
                                  {"pack_int8", 1, 3},
                                  {"unpack_int8", 1, 3},
                                  {"gather_int8", 0, 3}}) {
    for (const int32_t axis : {entry.rank, -entry.rank - 1, INT32_MAX, INT32_MIN}) {
      TestModel model = FindModel(entry.model);
      SetOption(model, OptionI32(entry.slot, axis));
      EXPECT_EQ(TryModel(model), Status::kUnsupportedShape) << entry.model << " axis " << axis;
    }
  }
  for (const char* const name : {"split_int8", "split_v_int8", "mean_int8", "transpose_int8"}) {
    for (const int32_t axis : {4, -5, INT32_MAX, INT32_MIN}) {
      TestModel model = FindModel(name);
      std::vector<uint8_t>* last_constant = nullptr;
      for (TensorSpec& tensor : model.graph.tensors) {
        if (!tensor.data.empty()) last_constant = &tensor.data;
      }
      StoreLe32(last_constant->data(), static_cast<uint32_t>(axis));
      EXPECT_EQ(TryModel(model), Status::kUnsupportedShape) << name << " axis " << axis;
    }
  }
}

TEST(BadModel, CyclesAreRefused) {
  const TestModel residual = FindModel("residual_s8");
  TestModel model = residual;
  model.graph.operators[0].inputs[0] = 3;  // its own output
  EXPECT_NE(TryModel(model), Status::kOk);
  model = residual;
  model.graph.operators[1].inputs[0] = 7;  // what the operator behind it makes of its output
  EXPECT_NE(TryModel(model), Status::kOk);
  model = residual;
  model.graph.operators[1].outputs[0] = 3;  // made a second time
  EXPECT_NE(TryModel(model), Status::kOk);
  model = residual;
  model.graph.operators[0].outputs[0] = 0;  // the model's input
  EXPECT_NE(TryModel(model), Status::kOk);
  model = residual;
  model.graph.operators[0].outputs[0] = 1;  // a constant
  EXPECT_NE(TryModel(model), Status::kOk);
}

std::vector<uint8_t> RunAt(const TestModel& model, size_t offset) {
  alignas(kArenaAlignment) static uint8_t arena[kArenaBytes];
  const std::vector<uint8_t> bytes = model.Write();
  const std::unique_ptr<uint64_t[]> memory(new uint64_t[bytes.size() / 8 + 2]);
  uint8_t* const start = reinterpret_cast<uint8_t*>(memory.get()) + offset;
  std::copy(bytes.begin(), bytes.end(), start);
  MemoryByteSource source(ByteSpan(start, bytes.size()));
  Interpreter interpreter(AllOperators());
  EXPECT_EQ(interpreter.Prepare(source, arena), Status::kOk);
  for (uint32_t i = 0; i < interpreter.input_count(); ++i) {
    for (uint8_t& byte : interpreter.input(i)) byte = 0x3C;
  }
  EXPECT_EQ(interpreter.Invoke(), Status::kOk);
  const ByteSpan output = interpreter.output(0);
  return {output.begin(), output.end()};
}

TEST(BadModel, FilesAtOddAddressesGiveTheSameBytes) {
  for (const TestModel& model : MakeTestModels()) {
    const std::vector<uint8_t> expected = RunAt(model, 0);
    for (size_t offset = 1; offset < 8; ++offset) {
      EXPECT_EQ(RunAt(model, offset), expected) << model.name << " at " << offset;
    }
  }
}

}  // namespace
}  // namespace ota::engine
