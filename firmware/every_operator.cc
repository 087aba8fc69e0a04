// SPDX-License-Identifier: Apache-2.0
#include "firmware/run_model.h"

namespace ota::firmware {

engine::OperatorTable RunModelOperators() { return engine::AllOperators(); }

}  // namespace ota::firmware
