// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "storage/model_store/model_store.h"

namespace ota::storage {
namespace {

bool IsNameCharacter(char c) {
  const auto letter = static_cast<uint8_t>((c | 0x20) - 'a');
  return letter < 26 || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

ModelName::ModelName(std::string_view text) {
  if (text.size() > kModelNameBytesMax) {  // no valid name: keep none of it
    length_ = 1;
    text_[0] = '/';
    return;
  }
  length_ = static_cast<uint8_t>(text.size());
  std::copy(text.begin(), text.end(), text_);
}

bool ModelName::is_valid() const {
  for (const char c : view()) {
    if (!IsNameCharacter(c)) return false;
  }
  return length_ != 0 && text_[0] != '.';
}

}  // namespace ota::storage
