// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/artifact/artifact.h"

namespace ota::server {

/// The C identifier for a model name: what is no letter, digit or `_` becomes `_`, a leading digit
/// gets `__` before it (as xxd -i does), a keyword of C or C++ gets `_model` behind it.
std::string CIdentifier(std::string_view name);

/// A model as the text of a C array, valid C11 and C++11: comment, `alignas(16) const unsigned char
/// NAME[]` with the lines of `xxd -i`, and `const unsigned int NAME_len`. Its length is known by
/// arithmetic, and any part of it is made from the model's bytes of that part alone, so it takes no
/// memory to serve. Several threads may read at once.
class CArray final : public ByteSource {
 public:
  explicit CArray(std::shared_ptr<Artifact> artifact);

  uint32_t size_bytes() const override;
  /// As Artifact::Read.
  Status Read(uint32_t offset, MutableByteSpan target) override;

 private:
  uint32_t lines_bytes() const;
  Status ReadLines(uint32_t offset, MutableByteSpan target);

  std::shared_ptr<Artifact> artifact_;
  std::string head_;
  std::string tail_;
};

}  // namespace ota::server
