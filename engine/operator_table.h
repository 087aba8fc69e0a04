// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "formats/tflite/model_reader.h"

namespace ota::engine {

class PrepareContext;
class RunContext;

/// Whether the model's operator has this custom name. False also if it could not be read.
bool HasCustomName(formats::ModelReader& model, const formats::OperatorInfo& info,
                   const char* name);

/// Name of a custom operator, or null, and what compares it: a pointer, so that a program without
/// custom operators does not link that.
struct CustomName {
  constexpr CustomName() = default;
  constexpr CustomName(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): see Operator
  constexpr CustomName(const char* name)   // NOLINT(google-explicit-constructor): the same
      : text(name), has_name(HasCustomName) {}

  const char* text = nullptr;
  bool (*has_name)(formats::ModelReader& model, const formats::OperatorInfo& info,
                   const char* name) = nullptr;
};

/// One operator that a program links: what the schema calls it, and its two halves. A plain record
/// of pointers, so that an operator that no table names is dropped by the linker.
struct Operator {
  int32_t code;            ///< number in the schema; 32 for a custom operator
  CustomName custom_name;  ///< of a custom operator, else null

  /// Checks operands and options once and fills the operator's parameters (prepare_context.h).
  Status (*prepare)(PrepareContext& context);
  /// Computes the outputs, or a bounded part of them (run_context.h).
  Status (*run)(RunContext& context);
  /// Of a variant for int8: kUnsupportedType if the first input or output is of another type.
  bool is_int8_only = false;
};

/// The operators that a program links, at most kFirstInternalOperator. The records live as long as
/// the program.
///
///   constexpr const Operator* kOperators[] = {&kConv2d, &kFullyConnected};
///   Interpreter interpreter(kOperators);
using OperatorTable = std::span<const Operator* const>;

/// Every operator of this library. For hosts; a device names the ones that its models need
/// (engine/operators/operators.h).
OperatorTable AllOperators();

}  // namespace ota::engine
