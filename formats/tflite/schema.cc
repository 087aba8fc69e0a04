// SPDX-License-Identifier: Apache-2.0
#include "formats/tflite/schema.h"

namespace ota::formats {

namespace {

struct CodeName {
  OperatorCode code;
  const char* name;
};

constexpr CodeName kCodeNames[] = {
    {OperatorCode::kAdd, "ADD"},
    {OperatorCode::kAveragePool2d, "AVERAGE_POOL_2D"},
    {OperatorCode::kConcatenation, "CONCATENATION"},
    {OperatorCode::kConv2d, "CONV_2D"},
    {OperatorCode::kDepthwiseConv2d, "DEPTHWISE_CONV_2D"},
    {OperatorCode::kDequantize, "DEQUANTIZE"},
    {OperatorCode::kFullyConnected, "FULLY_CONNECTED"},
    {OperatorCode::kLogistic, "LOGISTIC"},
    {OperatorCode::kMaxPool2d, "MAX_POOL_2D"},
    {OperatorCode::kMul, "MUL"},
    {OperatorCode::kRelu, "RELU"},
    {OperatorCode::kRelu6, "RELU6"},
    {OperatorCode::kReshape, "RESHAPE"},
    {OperatorCode::kResizeBilinear, "RESIZE_BILINEAR"},
    {OperatorCode::kSoftmax, "SOFTMAX"},
    {OperatorCode::kSvdf, "SVDF"},
    {OperatorCode::kTanh, "TANH"},
    {OperatorCode::kCustom, "CUSTOM"},
    {OperatorCode::kPad, "PAD"},
    {OperatorCode::kGather, "GATHER"},
    {OperatorCode::kTranspose, "TRANSPOSE"},
    {OperatorCode::kMean, "MEAN"},
    {OperatorCode::kSub, "SUB"},
    {OperatorCode::kDiv, "DIV"},
    {OperatorCode::kSqueeze, "SQUEEZE"},
    {OperatorCode::kUnidirectionalSequenceLstm, "UNIDIRECTIONAL_SEQUENCE_LSTM"},
    {OperatorCode::kStridedSlice, "STRIDED_SLICE"},
    {OperatorCode::kSplit, "SPLIT"},
    {OperatorCode::kCast, "CAST"},
    {OperatorCode::kPrelu, "PRELU"},
    {OperatorCode::kMaximum, "MAXIMUM"},
    {OperatorCode::kMinimum, "MINIMUM"},
    {OperatorCode::kPadV2, "PADV2"},
    {OperatorCode::kTransposeConv, "TRANSPOSE_CONV"},
    {OperatorCode::kExpandDims, "EXPAND_DIMS"},
    {OperatorCode::kShape, "SHAPE"},
    {OperatorCode::kReduceMax, "REDUCE_MAX"},
    {OperatorCode::kPack, "PACK"},
    {OperatorCode::kUnpack, "UNPACK"},
    {OperatorCode::kResizeNearestNeighbor, "RESIZE_NEAREST_NEIGHBOR"},
    {OperatorCode::kLeakyRelu, "LEAKY_RELU"},
    {OperatorCode::kSplitV, "SPLIT_V"},
    {OperatorCode::kQuantize, "QUANTIZE"},
    {OperatorCode::kHardSwish, "HARD_SWISH"},
    {OperatorCode::kCallOnce, "CALL_ONCE"},
    {OperatorCode::kVarHandle, "VAR_HANDLE"},
    {OperatorCode::kReadVariable, "READ_VARIABLE"},
    {OperatorCode::kAssignVariable, "ASSIGN_VARIABLE"},
};

constexpr const char* kTypeNames[] = {"float32", "float16",    "int32",  "uint8",     "int64",
                                      "string",  "bool",       "int16",  "complex64", "int8",
                                      "float64", "complex128", "uint64", "resource",  "variant",
                                      "uint32",  "uint16",     "int4"};

}  // namespace

const char* TensorTypeName(TensorType type) {
  const auto index = static_cast<uint32_t>(type);
  return index < sizeof(kTypeNames) / sizeof(kTypeNames[0]) ? kTypeNames[index] : "?";
}

const char* OperatorCodeName(int32_t code) {
  for (const CodeName& entry : kCodeNames) {
    if (static_cast<int32_t>(entry.code) == code) return entry.name;
  }
  return "?";
}

}  // namespace ota::formats
