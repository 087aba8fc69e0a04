// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/artifact/artifact_store.h"
#include "server/http/router.h"
#include "server/poll/poll_desk.h"

namespace ota::server {

/// Adds POST /poll, which answers the bytes of docs/formats/poll.md. `desk` must outlive the
/// router.
void AddPollRoutes(Router& router, PollDesk& desk);

/// Adds GET /envelopes/HEX and /payloads/HEX: what is offered, by the SHA-256 of its bytes. Both
/// stores must outlive the router.
void AddDigestRoutes(Router& router, ArtifactStore& envelopes, ArtifactStore& payloads);

}  // namespace ota::server
