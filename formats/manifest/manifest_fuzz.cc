// SPDX-License-Identifier: Apache-2.0
// The input is tried as an envelope and as a manifest. What decodes and has our form of component
// comes back from the writer, and decodes to the same again.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/byte_source.h"
#include "formats/manifest/envelope.h"
#include "formats/manifest/manifest.h"

namespace {

using namespace ota;
using namespace ota::formats;

void Require(bool holds) {
  if (!holds) std::abort();
}

std::vector<uint8_t> Encode(const Manifest& manifest, size_t bytes_max) {
  std::vector<uint8_t> buffer(bytes_max);
  CborWriter writer(buffer);
  WriteManifest(writer, manifest);
  const Result<ByteSpan> bytes = writer.Finish();
  Require(bytes.ok());
  buffer.resize(bytes->size());
  return buffer;
}

void TryManifest(ByteSpan bytes) {
  const Result<Manifest> manifest = DecodeManifest(bytes);
  if (!manifest.ok() || manifest->kind == ComponentKind::kForeign) return;
  Require(IsComponentName(manifest->component_name));
  Require(manifest->image_digest.size() == kImageDigestBytes);
  const std::vector<uint8_t> first = Encode(*manifest, bytes.size() + 256);
  const Result<Manifest> again = DecodeManifest(first);
  Require(again.ok());
  Require(Encode(*again, first.size()) == first);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteSpan bytes(data, size);
  TryManifest(bytes);
  const Result<Envelope> envelope = DecodeEnvelope(bytes);
  if (!envelope.ok()) return 0;
  TryManifest(envelope->manifest);
  MemoryByteSource source(bytes);
  for (const std::string_view uri : {"", "#kws"}) {
    const Result<PayloadLocation> payload = FindPayload(source, *envelope, uri);
    if (payload.ok()) Require(IsInBounds(payload->offset, payload->size_bytes, size));
  }
  return 0;
}
