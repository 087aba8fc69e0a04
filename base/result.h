// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <optional>
#include <utility>

#include "base/status.h"

namespace ota {

/// A value of type T, or the Status that says why there is none. Never both, never neither.
///
///   Result<uint32_t> size = ReadSize();
///   if (!size.ok()) return size.status();
///   Use(*size);
template <typename T>
class [[nodiscard]] Result {
 public:
  /// Failure. `status` must not be kOk.
  constexpr Result(Status status) : status_(status) {  // NOLINT(google-explicit-constructor)
    assert(status != Status::kOk);
  }
  constexpr Result(T value)  // NOLINT(google-explicit-constructor)
      : value_(std::move(value)), status_(Status::kOk) {}

  constexpr bool ok() const { return status_ == Status::kOk; }
  constexpr Status status() const { return status_; }

  /// The value; only when ok().
  constexpr T& operator*() {
    assert(ok());
    return *value_;
  }
  constexpr const T& operator*() const {
    assert(ok());
    return *value_;
  }
  constexpr T* operator->() { return &**this; }
  constexpr const T* operator->() const { return &**this; }

 private:
  std::optional<T> value_;
  Status status_;
};

namespace internal {
constexpr Status StatusOf(Status status) { return status; }
template <typename T>
constexpr Status StatusOf(const Result<T>& result) {
  return result.status();
}
}  // namespace internal

}  // namespace ota

#define OTA_INTERNAL_JOIN2(a, b) a##b
#define OTA_INTERNAL_JOIN(a, b) OTA_INTERNAL_JOIN2(a, b)
#define OTA_INTERNAL_TRY1(expression)                                               \
  do {                                                                              \
    if (const ::ota::Status ota_try_status = ::ota::internal::StatusOf(expression); \
        ota_try_status != ::ota::Status::kOk) {                                     \
      return ota_try_status;                                                        \
    }                                                                               \
  } while (false)
#define OTA_INTERNAL_TRY2(variable, target, expression) \
  auto variable = (expression);                         \
  if (!variable.ok()) return variable.status();         \
  target = *std::move(variable)  // NOLINT(bugprone-macro-parentheses): may declare
#define OTA_INTERNAL_TRY2_UNIQUE(target, expression) \
  OTA_INTERNAL_TRY2(OTA_INTERNAL_JOIN(ota_try_result_, __LINE__), target, expression)
#define OTA_INTERNAL_PICK(first, second, chosen, ...) chosen

/// The one TRY macro. Returns from the enclosing function with the Status when it is not kOk.
///
///   OTA_TRY(device.Erase(0, 4096));          // a Status, or a Result whose value is not wanted
///   OTA_TRY(const uint32_t size, ReadSize()); // a Result, its value bound to a name
#define OTA_TRY(...) \
  OTA_INTERNAL_PICK(__VA_ARGS__, OTA_INTERNAL_TRY2_UNIQUE, OTA_INTERNAL_TRY1, )(__VA_ARGS__)
