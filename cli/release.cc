// SPDX-License-Identifier: Apache-2.0
#include "cli/release.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>

#include "base/prng.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/key_file.h"
#include "cli/model_file.h"
#include "cli/payload_sealing.h"
#include "formats/host/uuid.h"
#include "formats/manifest/envelope.h"

namespace ota::cli {
namespace {

using formats::Bytes;
using formats::Manifest;

constexpr const char* kUnitNames[] = {"any",  "on-chip-flash", "spi-nor", "eeprom",
                                      "fram", "sd-card",       "emmc"};
constexpr const char* kPriorityNames[] = {"critical", "mandatory", "optional"};
constexpr int32_t kCustomOperatorCode = 32;
constexpr uint32_t kArenaStepBytes = 16;

template <size_t kCount>
uint8_t FindName(const char* const (&names)[kCount], const std::string& name, const char* what) {
  std::string known;
  for (size_t i = 0; i < kCount; ++i) {
    if (name == names[i]) return static_cast<uint8_t>(i);
    known += std::string(i == 0 ? "" : ", ") + names[i];
  }
  throw CommandError("'" + name + "' is no " + what + "; say one of " + known, 2);
}

formats::Uuid VendorIdOf(const std::string& text) {
  const Result<formats::Uuid> uuid = formats::ParseUuid(text);
  return uuid.ok() ? *uuid : formats::ComputeVendorId(text);
}

formats::Uuid ClassIdOf(const formats::Uuid& vendor, const std::string& text) {
  const Result<formats::Uuid> uuid = formats::ParseUuid(text);
  return uuid.ok() ? *uuid : formats::ComputeClassId(vendor, text);
}

// What the manifest's spans point to while it is written.
struct Parts {
  formats::Uuid vendor = {};
  std::vector<formats::Uuid> classes;
  formats::Uuid device = {};
  crypto::Sha256Digest image_digest = {};
  crypto::Sha256Digest payload_digest = {};
  Bytes operators;
  Bytes custom_operators;
  std::vector<std::array<uint8_t, formats::kOutputDigestBytesMin>> output_digests;
  Bytes encryption_info;
  std::string uri;
  std::string metric;
};

void AddOperators(ModelFile& file, Parts& parts) {
  formats::ModelReader model(file.source());
  if (!IsOk(model.Open())) throw CommandError(file.path() + " cannot be read");
  std::set<uint8_t> codes;
  std::set<std::string> custom;
  for (uint32_t i = 0; i < model.operator_count(); ++i) {
    const auto info = model.ReadOperator(i);
    if (!info.ok()) throw CommandError("an operator of " + file.path() + " cannot be read");
    char buffer[64];
    const auto name = model.ReadOperatorName(*info, buffer);
    if (info->code == kCustomOperatorCode && name.ok()) {
      custom.emplace(*name);
    } else {
      codes.insert(static_cast<uint8_t>(info->code));
    }
  }
  parts.operators.assign(codes.begin(), codes.end());
  if (custom.empty()) return;
  parts.custom_operators.resize(1024);
  formats::CborWriter writer(parts.custom_operators);
  writer.WriteArrayHead(custom.size());
  for (const std::string& name : custom) writer.WriteText(name);
  parts.custom_operators.resize(writer.size_needed_bytes());
}

// Runs the model once on the bytes that the seed generates; the digest is of all outputs.
crypto::Sha256Digest RunSelfTest(ModelFile& file, uint32_t seed) {
  engine::Interpreter& interpreter = file.interpreter();
  interpreter.ResetState();
  Prng generator(seed);
  for (uint32_t i = 0; i < interpreter.input_count(); ++i) {
    for (uint8_t& byte : interpreter.input(i)) byte = static_cast<uint8_t>(generator.Next());
  }
  if (!IsOk(interpreter.Invoke())) throw CommandError(file.path() + " could not be run");
  crypto::Sha256 hash;
  for (uint32_t i = 0; i < interpreter.output_count(); ++i) hash.Update(interpreter.output(i));
  return hash.Finish();
}

// Random bytes are numbers of every integer type, but not always of a float.
bool HasFloatInput(engine::Interpreter& interpreter) {
  for (uint32_t i = 0; i < interpreter.input_count(); ++i) {
    const auto info = interpreter.ReadInputInfo(i);
    if (info.ok() && info->type == formats::TensorType::kFloat32) return true;
  }
  return false;
}

void AddSelfTests(ModelFile& file, uint32_t count, Parts& parts, Manifest& manifest) {
  if (count > formats::kSelfTestsMax) {
    throw CommandError("--self-test takes at most " + std::to_string(formats::kSelfTestsMax), 2);
  }
  if (count != 0 && HasFloatInput(file.interpreter())) {
    throw CommandError("self-tests need integer inputs, and " + file.path() +
                       " takes floats; say --self-test 0");
  }
  parts.output_digests.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    const crypto::Sha256Digest digest = RunSelfTest(file, i + 1);
    if (digest != RunSelfTest(file, i + 1)) {
      throw CommandError(file.path() + " gives two outputs for one input");
    }
    std::copy_n(digest.begin(), parts.output_digests[i].size(), parts.output_digests[i].begin());
    manifest.model.self_tests[i] = {{}, i + 1, parts.output_digests[i]};
  }
  manifest.model.self_test_count = static_cast<uint8_t>(count);
}

void AddAccuracy(const std::string& text, Parts& parts, Manifest& manifest) {
  if (text.empty()) return;
  const size_t equals = text.rfind('=');
  const size_t slash = text.rfind('/');
  if (equals == std::string::npos || slash == std::string::npos || slash < equals) {
    throw CommandError("'" + text + "' is not METRIC=PERCENT/SAMPLES", 2);
  }
  parts.metric = text.substr(0, equals);
  try {
    const double percent = std::stod(text.substr(equals + 1, slash - equals - 1));
    const auto samples = static_cast<uint32_t>(std::stoul(text.substr(slash + 1)));
    manifest.model.accuracy = {parts.metric, static_cast<uint32_t>(percent * 10'000 + 0.5),
                               samples};
  } catch (const std::exception&) {
    throw CommandError("'" + text + "' is not METRIC=PERCENT/SAMPLES", 2);
  }
}

// Encrypts the payload, if it is for some alone.
void Encrypt(const ReleaseOptions& options, Bytes& payload, Parts& parts, Manifest& manifest) {
  const auto cipher =
      static_cast<formats::ContentCipher>(FindName(kContentCipherNames, options.cipher, "cipher"));
  if (options.recipients.empty()) return;
  parts.encryption_info = SealPayload(cipher, options.recipients, payload);
  parts.payload_digest = crypto::ComputeSha256(payload);
  manifest.encryption_info = parts.encryption_info;
  manifest.payload_digest = parts.payload_digest;
  manifest.payload_size_bytes = static_cast<uint32_t>(payload.size());
}

void AddRecipient(const ReleaseOptions& options, Parts& parts, Manifest& manifest) {
  parts.vendor = VendorIdOf(options.vendor);
  manifest.vendor_id = parts.vendor;
  if (options.classes.empty() || options.classes.size() > formats::kClassIdsMax) {
    throw CommandError("give one to four classes with --class", 2);
  }
  for (const std::string& text : options.classes) {
    parts.classes.push_back(ClassIdOf(parts.vendor, text));
  }
  for (const formats::Uuid& id : parts.classes) {
    manifest.class_ids[manifest.class_id_count++] = id;
  }
  if (options.device.empty()) return;
  const Result<formats::Uuid> device = formats::ParseUuid(options.device);
  if (!device.ok()) throw CommandError("--device wants a UUID", 2);
  parts.device = *device;
  manifest.device_id = parts.device;
}

void AddTerms(const ReleaseOptions& options, Parts& parts, Manifest& manifest) {
  if (!formats::IsComponentName(options.name)) {
    throw CommandError(
        "'" + options.name + "' is no name: at most 32 letters, digits, dots, dashes, underscores",
        2);
  }
  if (options.version.size() > formats::kVersionBytesMax) {
    throw CommandError("the version text is longer than 32 bytes", 2);
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto now_s = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  manifest.sequence_number =
      options.sequence_number != 0 ? options.sequence_number : static_cast<uint64_t>(now_s);
  manifest.kind = formats::ComponentKind::kModel;
  manifest.component_name = options.name;
  manifest.version = options.version;
  manifest.memory_unit =
      static_cast<formats::MemoryUnit>(FindName(kUnitNames, options.memory_unit, "memory unit"));
  manifest.priority =
      static_cast<formats::UpdatePriority>(FindName(kPriorityNames, options.priority, "priority"));
  if (options.use_before_s != 0) manifest.use_before_s = options.use_before_s;
  if (options.minimum_battery_mwh != 0) manifest.minimum_battery_mwh = options.minimum_battery_mwh;
  parts.uri = options.uri.empty() ? std::string(formats::kUriByDigest) : options.uri;
  if (options.is_integrated) parts.uri = "#" + options.name;
  if (parts.uri.size() > formats::kUriBytesMax) throw CommandError("the URI is too long", 2);
  manifest.uri = parts.uri;
}

Bytes Sign(const Bytes& manifest, const ReleaseOptions& options, const std::string& uri,
           const Bytes& payload) {
  std::vector<std::unique_ptr<crypto::SigningKey>> keys;
  std::vector<crypto::SigningKey*> signers;
  for (const std::string& path : options.signers) {
    keys.push_back(LoadPrivateKey(path));
    signers.push_back(keys.back().get());
  }
  if (signers.empty() || signers.size() > formats::kSignaturesMax) {
    throw CommandError("give one to four release keys with --key", 2);
  }
  const Result<Bytes> envelope = options.is_integrated
                                     ? formats::SignManifest(manifest, signers, uri, payload)
                                     : formats::SignManifest(manifest, signers);
  if (!envelope.ok()) throw CommandError("a key could not sign");
  return *envelope;
}

// An arena in which the model runs in patches, whether its memory is mapped or not, to a
// sixty-fourth the smallest; at most `enough_bytes`.
uint32_t FindPatchedArena(ModelFile& mapped, ModelFile& streamed, uint32_t enough_bytes) {
  uint32_t too_few = 0;
  uint32_t enough = enough_bytes;
  while (enough - too_few > enough / 64 + kArenaStepBytes) {
    const uint32_t middle = RoundUp((too_few + enough) / 2, kArenaStepBytes);
    (mapped.FitsArena(middle) && streamed.FitsArena(middle) ? enough : too_few) = middle;
  }
  return enough;
}

void AddArenaPlans(ModelFile& mapped, uint32_t mapped_bytes, Manifest& manifest) {
  ModelFile streamed(mapped.path(), {.is_mapped = false, .page_bytes = 0});
  const uint32_t streamed_bytes = streamed.ComputeNeeds().arena_bytes;
  const uint32_t enough_bytes = std::max(mapped_bytes, streamed_bytes);
  const uint32_t patched_bytes = FindPatchedArena(mapped, streamed, enough_bytes);
  formats::ModelRequirements& model = manifest.model;
  model.arena_bytes_of(formats::PlanKind::kMapped) = mapped_bytes;
  model.arena_bytes_of(formats::PlanKind::kStreamed) = streamed_bytes;
  if (patched_bytes == enough_bytes) return;
  model.arena_bytes_of(formats::PlanKind::kPatched) = patched_bytes;
}

}  // namespace

Release BuildRelease(const ReleaseOptions& options) {
  ModelFile file(options.model, SourceChoice::Parse("map"));
  const engine::ModelSummary summary = file.ComputeNeeds();
  file.Prepare();
  Release release;
  release.payload = ReadFile(options.model);
  Parts parts;
  Manifest manifest;
  AddTerms(options, parts, manifest);
  AddRecipient(options, parts, manifest);
  AddOperators(file, parts);
  AddSelfTests(file, options.self_test_count, parts, manifest);
  AddAccuracy(options.accuracy, parts, manifest);
  manifest.model.engine_version = 1;
  manifest.model.operators = parts.operators;
  manifest.model.custom_operators = parts.custom_operators;
  AddArenaPlans(file, summary.arena_bytes, manifest);
  parts.image_digest = crypto::ComputeSha256(release.payload);
  manifest.image_digest = parts.image_digest;
  manifest.image_size_bytes = static_cast<uint32_t>(release.payload.size());
  Encrypt(options, release.payload, parts, manifest);
  const Bytes encoded = formats::EncodeManifest(manifest);
  const Result<Manifest> checked = formats::DecodeManifest(encoded);
  if (!checked.ok()) {
    throw CommandError("the manifest would be refused: " +
                       std::string(StatusSentence(checked.status())));
  }
  release.envelope = Sign(encoded, options, parts.uri, release.payload);
  release.sequence_number = manifest.sequence_number;
  release.arena_bytes = summary.arena_bytes;
  release.image_bytes = manifest.image_size_bytes;
  release.manifest_bytes = static_cast<uint32_t>(encoded.size());
  return release;
}

}  // namespace ota::cli
