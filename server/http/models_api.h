// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/artifact/artifact_store.h"
#include "server/http/router.h"

namespace ota::server {

/// Adds GET /models/ (the index), /models/NAME.tflite, /models/NAME.bin and /models/NAME.h from
/// `models`, and /models/NAME.suit from `envelopes`. Both must outlive the router.
void AddModelRoutes(Router& router, ArtifactStore& models, ArtifactStore& envelopes);

/// Adds GET / (what is where) and /healthz.
void AddServiceRoutes(Router& router);

}  // namespace ota::server
