// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/chain.h"

namespace ota::engine {

class ChainBuilder;
class PrepareContext;

/// What patch-based execution knows of an operator that can compute some rows of its output at a
/// time (chain.h). It lies apart from the operators, so that without patches it is not linked.
struct PatchRule {
  int32_t code;  ///< number in the schema
  /// Says which rows the operator needs (ChainBuilder::AllowRows); `params` is what it commits.
  void (*allow_rows)(ChainBuilder& chains, PrepareContext& context, const void* params);
  /// Turns `params`, a copy of what the operator committed, into the parameters of the same
  /// operator on the rows that `rows` tells. Slots are already those of the first such rows.
  void (*select_rows)(void* params, const PatchRows& rows);
};

/// Null: the operator cannot be in a chain.
const PatchRule* FindPatchRule(int32_t code);

// The rules, each beside its operator.

void AllowConvolutionRows(ChainBuilder& chains, PrepareContext& context, const void* params);
void SelectConvolutionRows(void* params, const PatchRows& rows);
void AllowGatheredRows(ChainBuilder& chains, PrepareContext& context, const void* params);
void SelectGatheredRows(void* params, const PatchRows& rows);
void AllowMulRows(ChainBuilder& chains, PrepareContext& context, const void* params);
void SelectMulRows(void* params, const PatchRows& rows);
void AllowPadRows(ChainBuilder& chains, PrepareContext& context, const void* params);
void SelectPadRows(void* params, const PatchRows& rows);
void AllowPoolRows(ChainBuilder& chains, PrepareContext& context, const void* params);
void SelectPoolRows(void* params, const PatchRows& rows);
void AllowSumRows(ChainBuilder& chains, PrepareContext& context, const void* params);
void SelectSumRows(void* params, const PatchRows& rows);
void AllowUnaryRows(ChainBuilder& chains, PrepareContext& context, const void* params);
void SelectUnaryRows(void* params, const PatchRows& rows);

}  // namespace ota::engine
