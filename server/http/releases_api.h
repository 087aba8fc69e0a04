// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/http/router.h"
#include "server/release/publisher_token.h"
#include "server/release/release_store.h"

namespace ota::server {

/// Adds PUT /releases/NAME: the length of the envelope as 4 bytes, big-endian, the envelope, the
/// payload. The envelope is verified before any of the payload is taken. `store` and `token` must
/// outlive the router.
void AddReleaseRoutes(Router& router, ReleaseStore& store, const PublisherToken& token);

}  // namespace ota::server
