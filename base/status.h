// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status_list.h"

// Status: the outcome of an operation that returns no value. A plain enum, so that it costs a
// register and can be reported as a number. Every function that can fail returns a Status or a
// Result<T>; neither may be ignored.

namespace ota {

enum class [[nodiscard]] Status : uint16_t {
#define OTA_STATUS_ENUMERATOR(name, number, module, sentence) name = number,
  OTA_STATUS_LIST(OTA_STATUS_ENUMERATOR)
#undef OTA_STATUS_ENUMERATOR
};

constexpr bool IsOk(Status status) { return status == Status::kOk; }

/// Name of the code as in the source without its `k`, e.g. "ArenaTooSmall"; "Unknown" for a number
/// that is not in the list. Static storage.
std::string_view StatusName(Status status);

/// The module that raises the code first, e.g. "engine".
std::string_view StatusModule(Status status);

/// The sentence of the list that says what happened. Static storage.
std::string_view StatusSentence(Status status);

}  // namespace ota
