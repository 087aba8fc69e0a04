// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "server/http/router.h"
#include "server/release/publisher_token.h"
#include "server/release/release_store.h"

namespace ota::server {

/// Adds PUT /releases/NAME: the length of the envelope as 4 bytes, big-endian, the envelope, the
/// payload. The envelope is verified before any of the payload is taken. `store` and `token` must
/// outlive the router; `on_change` is called after each release, before it is acknowledged.
void AddReleaseRoutes(Router& router, ReleaseStore& store, const PublisherToken& token,
                      std::function<void()> on_change);

/// Adds GET and PUT /roots/N: the signed root metadata, version N. As above.
void AddRootRoutes(Router& router, RootStore& roots, const PublisherToken& token,
                   std::function<void()> on_change);

}  // namespace ota::server
