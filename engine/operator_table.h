// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "base/result.h"

namespace ota::engine {

class PrepareContext;
class RunContext;

/// One operator that a program links: what the schema calls it, and its two halves. A plain record
/// of pointers, so that an operator that no table names is dropped by the linker.
struct Operator {
  int32_t code;             ///< number in the schema; 32 for a custom operator
  const char* custom_name;  ///< of a custom operator, else null

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
