// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

namespace ota {

std::string_view StatusName(Status status) {
  switch (status) {
#define OTA_STATUS_NAME(name, number, module, sentence) \
  case Status::name:                                    \
    return std::string_view(#name).substr(1);
    OTA_STATUS_LIST(OTA_STATUS_NAME)
#undef OTA_STATUS_NAME
  }
  return "Unknown";
}

std::string_view StatusModule(Status status) {
  switch (status) {
#define OTA_STATUS_MODULE(name, number, module, sentence) \
  case Status::name:                                      \
    return module;
    OTA_STATUS_LIST(OTA_STATUS_MODULE)
#undef OTA_STATUS_MODULE
  }
  return "unknown";
}

std::string_view StatusSentence(Status status) {
  switch (status) {
#define OTA_STATUS_SENTENCE(name, number, module, sentence) \
  case Status::name:                                        \
    return sentence;
    OTA_STATUS_LIST(OTA_STATUS_SENTENCE)
#undef OTA_STATUS_SENTENCE
  }
  return "A code that this build does not know.";
}

}  // namespace ota
