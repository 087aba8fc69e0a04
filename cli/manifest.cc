// SPDX-License-Identifier: Apache-2.0
#include "formats/manifest/manifest.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/byte_source.h"
#include "cli/commands.h"
#include "cli/key_file.h"
#include "cli/model_file.h"
#include "formats/host/authoring.h"
#include "formats/host/uuid.h"
#include "formats/manifest/envelope.h"
#include "formats/trust/manifest_verification.h"

namespace ota::cli {
namespace {

using formats::Manifest;
using nlohmann::json;

struct ManifestOptions {
  std::string envelope;
  std::string root;
};

[[noreturn]] void ThrowRefused(const std::string& path, Status status) {
  throw CommandError(path + ": a device refuses it: " + std::string(StatusName(status)) + ". " +
                     std::string(StatusSentence(status)));
}

json ModelToJson(const formats::ModelRequirements& model) {
  json result = {
      {"engine_version", model.engine_version},
      {"rounding", model.rounding == formats::RoundingMode::kDouble ? "double" : "single"},
      {"operators", std::vector<uint8_t>(model.operators.begin(), model.operators.end())}};
  for (size_t kind = 0; kind < formats::kPlanKinds; ++kind) {
    const uint32_t bytes = model.arena_bytes[kind];
    if (bytes != 0) result["arena_bytes"][std::to_string(kind)] = bytes;
  }
  for (size_t i = 0; i < model.self_test_count; ++i) {
    const formats::SelfTest& test = model.self_tests[i];
    result["self_tests"].push_back({{"seed", test.seed},
                                    {"input", crypto::HexText(test.input)},
                                    {"output_digest", crypto::HexText(test.output_digest)}});
  }
  if (model.accuracy.metric.empty()) return result;
  result["accuracy"] = {{"metric", model.accuracy.metric},
                        {"parts_per_million", model.accuracy.parts_per_million},
                        {"samples", model.accuracy.sample_count}};
  return result;
}

json ToJson(const Manifest& manifest) {
  json result = {{"sequence_number", manifest.sequence_number},
                 {"vendor_id", formats::FormatUuid(manifest.vendor_id)},
                 {"kind", static_cast<int>(manifest.kind)},
                 {"name", manifest.component_name},
                 {"memory_unit", static_cast<int>(manifest.memory_unit)},
                 {"image_digest", crypto::HexText(manifest.image_digest)},
                 {"image_bytes", manifest.image_size_bytes},
                 {"version", manifest.version},
                 {"priority", static_cast<int>(manifest.priority)},
                 {"uri", manifest.uri},
                 {"is_encrypted", !manifest.encryption_info.empty()},
                 {"payload_bytes", manifest.payload_size_bytes},
                 {"model", ModelToJson(manifest.model)}};
  for (size_t i = 0; i < manifest.class_id_count; ++i) {
    result["class_ids"].push_back(formats::FormatUuid(manifest.class_ids[i]));
  }
  if (!manifest.device_id.empty()) result["device_id"] = formats::FormatUuid(manifest.device_id);
  if (manifest.use_before_s) result["use_before_s"] = *manifest.use_before_s;
  if (manifest.slot) result["slot"] = *manifest.slot;
  return result;
}

// Decides as a device does that holds this root metadata.
Manifest Verify(const formats::Bytes& envelope, const ManifestOptions& options) {
  const formats::Bytes root = ReadFile(options.root);
  const Result<formats::SignedRoot> signed_root = formats::DecodeSignedRoot(root);
  formats::TrustState state;
  if (!signed_root.ok() || !IsOk(InitializeTrustState(signed_root->metadata, state))) {
    throw CommandError(options.root + " is no root metadata; `ota-tinyml trust init` makes some");
  }
  formats::ManifestVerification verification;
  Manifest manifest;
  Status status = verification.Begin(state, envelope);
  if (status == Status::kOk) status = Status::kBusy;
  while (status == Status::kBusy) status = verification.Step(0, manifest);
  if (status != Status::kOk) ThrowRefused(options.envelope, status);
  return manifest;
}

void RunManifest(const ManifestOptions& options) {
  const formats::Bytes bytes = ReadFile(options.envelope);
  const Result<formats::Envelope> envelope = formats::DecodeEnvelope(bytes);
  if (!envelope.ok()) ThrowRefused(options.envelope, envelope.status());
  const Result<Manifest> manifest = formats::DecodeManifest(envelope->manifest);
  if (!manifest.ok()) ThrowRefused(options.envelope, manifest.status());
  MemoryByteSource source(bytes);
  const Result<formats::PayloadLocation> payload = FindPayload(
      source, *envelope, manifest->is_payload_integrated() ? manifest->uri : std::string_view());
  if (!payload.ok()) ThrowRefused(options.envelope, payload.status());
  json result = ToJson(*manifest);
  result["signature_count"] = envelope->signatures().size();
  result["is_verified"] = !options.root.empty();
  if (!options.root.empty()) (void)Verify(bytes, options);  // the same manifest, now believed
  std::printf("%s\n", result.dump(2).c_str());
}

}  // namespace

void AddManifestCommand(CLI::App& app) {
  const auto options = std::make_shared<ManifestOptions>();
  CLI::App* const command =
      app.add_subcommand("manifest", "Print what an envelope says, and who may believe it");
  command->add_option("ENVELOPE", options->envelope, "From `publish`, or of others")->required();
  command->add_option("--root", options->root,
                      "Verify as a device does that holds this root metadata");
  command->callback([options] { RunManifest(*options); });
}

}  // namespace ota::cli
