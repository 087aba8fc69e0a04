// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http/router.h"
#include "server/transparency_log/transparency_log.h"

namespace ota::server {

/// Adds GET /log/head, /log/key, /log/entries/INDEX, /log/inclusion?leaf=HEX&size=N and
/// /log/consistency?first=N&second=N. `log` must outlive the router.
void AddLogRoutes(Router& router, TransparencyLog& log);

}  // namespace ota::server
