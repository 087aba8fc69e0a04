// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>

namespace ota::server {

/// Why something failed, as an operator reads it: what, where, what to do.
struct Error {
  std::string message;
};

/// A value, or the Error that says why there is none. What a person will read carries a sentence;
/// what only code decides on is a Result with its Status.
template <typename T>
class [[nodiscard]] Expected {
 public:
  Expected(T value) : value_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Expected(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  /// The value; only when ok().
  T& operator*() {
    assert(ok());
    return *value_;
  }
  T* operator->() { return &**this; }
  /// The error; only when not ok().
  const Error& error() const {
    assert(!ok());
    return error_;
  }

 private:
  std::optional<T> value_;
  Error error_;
};

/// The outcome of something that gives no value: no Error means that it is done.
using Failure = std::optional<Error>;

}  // namespace ota::server
