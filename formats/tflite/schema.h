// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Names for the numbers of TensorFlow Lite's schema (schema version 3) that this project reads:
// tensor types, operator codes, and the slots of fields in their tables. The schema is the file
// schema.fbs of TensorFlow Lite.

namespace ota::formats {

/// Element type of a tensor, with the numbers of the schema.
enum class TensorType : uint8_t {
  kFloat32 = 0,
  kFloat16 = 1,
  kInt32 = 2,
  kUint8 = 3,
  kInt64 = 4,
  kString = 5,
  kBool = 6,
  kInt16 = 7,
  kComplex64 = 8,
  kInt8 = 9,
  kFloat64 = 10,
  kComplex128 = 11,
  kUint64 = 12,
  kResource = 13,
  kVariant = 14,
  kUint32 = 15,
  kUint16 = 16,
  kInt4 = 17,
};

/// Bytes of one element; 0 for a type without a fixed whole number of bytes. There is one copy of
/// the table in a program.
[[gnu::noinline]] constexpr uint32_t ElementBytes(TensorType type) {
  switch (type) {
    case TensorType::kUint8:
    case TensorType::kBool:
    case TensorType::kInt8:
      return 1;
    case TensorType::kFloat16:
    case TensorType::kInt16:
    case TensorType::kUint16:
      return 2;
    case TensorType::kFloat32:
    case TensorType::kInt32:
    case TensorType::kUint32:
    case TensorType::kResource:
      return 4;
    case TensorType::kInt64:
    case TensorType::kUint64:
    case TensorType::kFloat64:
    case TensorType::kComplex64:
      return 8;
    case TensorType::kComplex128:
      return 16;
    default:
      return 0;
  }
}

/// Short lower-case name, e.g. "int8". Static storage.
const char* TensorTypeName(TensorType type);

/// Operator codes of the schema, as far as an operator here has them.
enum class OperatorCode : int32_t {
  kAdd = 0,
  kAveragePool2d = 1,
  kConcatenation = 2,
  kConv2d = 3,
  kDepthwiseConv2d = 4,
  kDequantize = 6,
  kFullyConnected = 9,
  kLogistic = 14,
  kMaxPool2d = 17,
  kMul = 18,
  kRelu = 19,
  kRelu6 = 21,
  kReshape = 22,
  kResizeBilinear = 23,
  kSoftmax = 25,
  kSvdf = 27,
  kTanh = 28,
  kCustom = 32,
  kPad = 34,
  kGather = 36,
  kTranspose = 39,
  kMean = 40,
  kSub = 41,
  kDiv = 42,
  kSqueeze = 43,
  kUnidirectionalSequenceLstm = 44,
  kStridedSlice = 45,
  kSplit = 49,
  kCast = 53,
  kPrelu = 54,
  kMaximum = 55,
  kMinimum = 57,
  kPadV2 = 60,
  kTransposeConv = 67,
  kExpandDims = 70,
  kShape = 77,
  kReduceMax = 82,
  kPack = 83,
  kUnpack = 88,
  kResizeNearestNeighbor = 97,
  kLeakyRelu = 98,
  kSplitV = 102,
  kQuantize = 114,
  kHardSwish = 117,
  kCallOnce = 129,
  kVarHandle = 142,
  kReadVariable = 143,
  kAssignVariable = 144,
};

/// Name of a code in the schema, e.g. "CONV_2D"; "?" for one that is not listed. Static storage.
const char* OperatorCodeName(int32_t code);

/// Slots of fields in their tables (the order of declaration in the schema).
namespace model_slot {
constexpr uint32_t kVersion = 0, kOperatorCodes = 1, kSubgraphs = 2, kDescription = 3, kBuffers = 4,
                   kSlotCount = 8;
}
namespace operator_code_slot {
constexpr uint32_t kDeprecatedCode = 0, kCustomName = 1, kCode = 3;
}
namespace subgraph_slot {
constexpr uint32_t kTensors = 0, kInputs = 1, kOutputs = 2, kOperators = 3, kName = 4;
}
namespace tensor_slot {
constexpr uint32_t kShape = 0, kType = 1, kBuffer = 2, kName = 3, kQuantization = 4,
                   kIsVariable = 5, kSparsity = 6;
}
namespace quantization_slot {
constexpr uint32_t kScale = 2, kZeroPoint = 3, kDetailsType = 4, kQuantizedDimension = 6;
}
namespace operator_slot {
constexpr uint32_t kCodeIndex = 0, kInputs = 1, kOutputs = 2, kOptionsType = 3, kOptions = 4,
                   kCustomOptions = 5, kIntermediates = 8, kLargeCustomOptionsOffset = 9,
                   kLargeCustomOptionsSize = 10;
}
namespace call_once_slot {
constexpr uint32_t kSubgraph = 0;
}
namespace buffer_slot {
constexpr uint32_t kData = 0, kOffset = 1, kSize = 2;
}

}  // namespace ota::formats
