// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/cbor/cbor_fields.h"
#include "formats/manifest/manifest.h"

// The map in our private parameter: what SUIT has no words for. Part of manifest.h.

namespace ota::formats {

/// Reads the map; statuses as DecodeManifest.
void DecodeRequirements(CborFieldReader& reader, Manifest& manifest);

/// Whether there is anything to write.
bool HasRequirements(const Manifest& manifest);

/// Writes the map; nothing is written that has its default value.
void WriteRequirements(CborWriter& writer, const Manifest& manifest);

}  // namespace ota::formats
