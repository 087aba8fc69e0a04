// SPDX-License-Identifier: Apache-2.0
// An image that holds every function of the device library, used or not: what it links against is
// what the library can ever pull in.
#include "firmware/board.h"

namespace ota::firmware {

uint8_t RunApplication() {
  WriteConsole("linked\n");
  return 0;
}

}  // namespace ota::firmware
