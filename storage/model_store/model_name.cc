// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "storage/model_store/model_store.h"

namespace ota::storage {
namespace {

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
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
  const std::string_view name = view();
  return !name.empty() && name[0] != '.' && std::all_of(name.begin(), name.end(), IsNameCharacter);
}

}  // namespace ota::storage
