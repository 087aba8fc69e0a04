// SPDX-License-Identifier: Apache-2.0
#include "server/release/release_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "formats/manifest/envelope.h"
#include "formats/trust/manifest_verification.h"
#include "formats/trust/root_update.h"
#include "formats/trust/trust_state.h"
#include "server/durable_write.h"

namespace ota::server {

namespace {

using Refusal = ReleaseStore::Refusal;

constexpr std::string_view kStagingPrefix = ".upload-";

std::vector<uint8_t> ReadBytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

Refusal ManifestRefusal(Status status) {
  return {403, "the manifest is refused: " + std::string(StatusSentence(status)),
          "sign it with a release key that the trust metadata allows for this component"};
}

// Trust metadata that has the signatures of its own root keys, as a fresh device would hold it.
Status LoadTrust(const std::string& path, formats::TrustState& state) {
  const std::vector<uint8_t> bytes = ReadBytes(path);
  if (bytes.empty()) return Status::kNotFound;
  OTA_TRY(formats::VerifyInitialRoot(bytes));
  OTA_TRY(const formats::SignedRoot root, formats::DecodeSignedRoot(bytes));
  OTA_TRY(formats::InitializeTrustState(root.metadata, state));
  return formats::CheckRootExpiry(state, static_cast<uint64_t>(time(nullptr)));
}

Status VerifyManifest(const formats::TrustState& state, ByteSpan envelope,
                      formats::Manifest& manifest) {
  formats::ManifestVerification verification;
  OTA_TRY(verification.Begin(state, envelope));
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = verification.Step(0, manifest);
  OTA_TRY(status);
  if (manifest.is_payload_integrated()) return Status::kNotSupported;
  MemoryByteSource source(envelope);
  OTA_TRY(formats::FindPayload(source, verification.envelope(), {}));
  return Status::kOk;
}

}  // namespace

ReleaseStore::Staging::~Staging() {
  close(descriptor_);
  if (!path_.empty()) unlink(path_.c_str());
}

Failure ReleaseStore::Staging::Append(ByteSpan bytes) {
  digest_.Update(bytes);
  size_bytes_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("write", path_, errno);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return std::nullopt;
}

ReleaseStore::ReleaseStore(std::string models_directory, std::string root_path,
                           TransparencyLog& log)
    : models_directory_(std::move(models_directory)), root_path_(std::move(root_path)), log_(log) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(models_directory_, ignored)) {
    if (entry.path().filename().string().starts_with(kStagingPrefix)) unlink(entry.path().c_str());
  }
}

ReleaseStore::Outcome<AcceptedEnvelope> ReleaseStore::Verify(const std::string& name,
                                                             std::vector<uint8_t> envelope) const {
  formats::TrustState state;
  if (const Status status = LoadTrust(root_path_, state); !IsOk(status)) {
    return Refusal{
        403, "this server has no valid trust metadata: " + std::string(StatusSentence(status)),
        "put the signed root metadata into " + root_path_ + " at the server"};
  }
  formats::Manifest manifest;
  if (const Status status = VerifyManifest(state, envelope, manifest); !IsOk(status)) {
    return ManifestRefusal(status);
  }
  if (manifest.component_name != name) {
    return Refusal{422, "the manifest is for \"" + std::string(manifest.component_name) + "\"",
                   "publish it under that name"};
  }
  AcceptedEnvelope accepted;
  const ByteSpan digest =
      manifest.payload_digest.empty() ? manifest.image_digest : manifest.payload_digest;
  std::copy_n(digest.begin(), accepted.payload_digest.size(), accepted.payload_digest.begin());
  accepted.payload_bytes = manifest.payload_size_bytes;
  accepted.name = name;
  accepted.sequence_number = manifest.sequence_number;
  accepted.bytes = std::move(envelope);
  return accepted;
}

std::optional<Refusal> ReleaseStore::CompareWithHeld(const AcceptedEnvelope& accepted) const {
  const std::vector<uint8_t> held = ReadBytes(models_directory_ + "/" + accepted.name + ".suit");
  if (held.empty() || held == accepted.bytes) return std::nullopt;
  const Result<formats::Envelope> envelope = formats::DecodeEnvelope(held);
  if (!envelope.ok()) return std::nullopt;  // Not one of ours; it is replaced.
  const Result<formats::Manifest> manifest = formats::DecodeManifest(envelope->manifest);
  if (!manifest.ok() || accepted.sequence_number > manifest->sequence_number) return std::nullopt;
  return Refusal{409,
                 "the sequence number " + std::to_string(accepted.sequence_number) +
                     " is not above that of the release that is here, " +
                     std::to_string(manifest->sequence_number),
                 "publish with a higher one"};
}

ReleaseStore::Outcome<AcceptedEnvelope> ReleaseStore::Accept(const std::string& name,
                                                             std::vector<uint8_t> envelope) const {
  Outcome<AcceptedEnvelope> outcome = Verify(name, std::move(envelope));
  if (const auto* accepted = std::get_if<AcceptedEnvelope>(&outcome)) {
    if (std::optional<Refusal> refusal = CompareWithHeld(*accepted)) return *refusal;
  }
  return outcome;
}

Expected<std::unique_ptr<ReleaseStore::Staging>> ReleaseStore::Stage() {
  std::string path = models_directory_ + "/" + std::string(kStagingPrefix) + "XXXXXX";
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) return SystemError("write", path, errno);
  return std::make_unique<Staging>(path, descriptor);
}

Failure ReleaseStore::Place(const AcceptedEnvelope& accepted, Staging& staging) {
  const std::string path = models_directory_ + "/" + accepted.name;
  if (rename(staging.path_.c_str(), (path + ".tflite").c_str()) != 0) {
    return SystemError("write", path + ".tflite", errno);
  }
  staging.path_.clear();
  // Syncs the directory too, and so both names.
  return WriteDurably(path + ".suit",
                      {reinterpret_cast<const char*>(accepted.bytes.data()), accepted.bytes.size()},
                      0644);
}

ReleaseStore::Outcome<uint64_t> ReleaseStore::Publish(const AcceptedEnvelope& accepted,
                                                      Staging& staging) {
  if (staging.size_bytes_ != accepted.payload_bytes ||
      staging.digest_.Finish() != accepted.payload_digest) {
    return Refusal{422, "the payload is not the one that the manifest was signed for",
                   "send the payload that was made with this envelope"};
  }
  const std::lock_guard lock(mutex_);
  if (std::optional<Refusal> refusal = CompareWithHeld(accepted)) return *refusal;
  const auto no_room = [](const Error& error) {
    return Refusal{507, error.message, "make room at the server, then publish again"};
  };
  if (fchmod(staging.descriptor_, 0644) != 0 || fsync(staging.descriptor_) != 0) {
    return no_room(SystemError("sync", staging.path_, errno));
  }
  Expected<uint64_t> index = log_.Append(accepted.bytes);
  if (!index.ok()) return no_room(index.error());
  if (Failure failure = Place(accepted, staging)) return no_room(*failure);
  return *index;
}

}  // namespace ota::server
