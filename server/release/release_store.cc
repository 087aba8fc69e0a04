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
#include "formats/manifest/manifest.h"
#include "server/durable_write.h"
#include "server/release/release_verification.h"

namespace ota::server {

namespace {

constexpr std::string_view kStagingPrefix = ".upload-";

std::vector<uint8_t> ReadBytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string_view TextOf(const std::vector<uint8_t>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Refusal ManifestRefusal(Status status) {
  return {403, "the manifest is refused: " + std::string(StatusSentence(status)),
          "sign it with a release key that the root metadata allows for this component", status};
}

Failure MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return std::nullopt;
  return SystemError("make the directory", path, errno);
}

// Makes `path` another name of the file `existing`, in the place of what it named before.
Failure LinkOver(const std::string& existing, const std::string& path) {
  const std::string beside = path + ".link";
  unlink(beside.c_str());
  if (link(existing.c_str(), beside.c_str()) != 0) return SystemError("write", beside, errno);
  if (rename(beside.c_str(), path.c_str()) == 0) {
    unlink(beside.c_str());  // It stays where both names were the same file already.
    return SyncDirectoryOf(path);
  }
  const int error = errno;
  unlink(beside.c_str());
  return SystemError("write", path, error);
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

Expected<std::unique_ptr<ReleaseStore>> ReleaseStore::Open(const std::string& data_directory,
                                                           const RootStore& roots,
                                                           TransparencyLog& log) {
  for (const char* folder : {"/models", "/payloads", "/envelopes"}) {
    if (Failure failure = MakeDirectory(data_directory + folder)) return *failure;
  }
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(data_directory + "/payloads", ignored)) {
    if (entry.path().filename().string().starts_with(kStagingPrefix)) unlink(entry.path().c_str());
  }
  return std::unique_ptr<ReleaseStore>(new ReleaseStore(data_directory, roots, log));
}

std::string ReleaseStore::PathOf(std::string_view folder, std::string_view name) const {
  return data_directory_ + "/" + std::string(folder) + "/" + std::string(name);
}

Outcome<AcceptedEnvelope> ReleaseStore::Verify(const std::string& name,
                                               std::vector<uint8_t> envelope) const {
  formats::TrustState trust;
  if (!IsOk(roots_.LoadNewest(trust))) {
    return Refusal{403, "this server has no root metadata",
                   "give it the signed root metadata, `ota-tinyml trust publish`"};
  }
  formats::Manifest manifest;
  ByteSpan integrated;
  if (const Status status = VerifyRelease(trust, envelope, manifest, integrated); !IsOk(status)) {
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
  accepted.is_payload_model = manifest.kind == formats::ComponentKind::kModel &&
                              manifest.encryption_info.empty() && manifest.encoding_count == 0;
  accepted.integrated_payload.assign(integrated.begin(), integrated.end());
  accepted.bytes = std::move(envelope);
  return accepted;
}

std::optional<Refusal> ReleaseStore::CompareWithHeld(const AcceptedEnvelope& accepted) const {
  const std::vector<uint8_t> held = ReadBytes(PathOf("models", accepted.name + ".suit"));
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

Outcome<AcceptedEnvelope> ReleaseStore::Accept(const std::string& name,
                                               std::vector<uint8_t> envelope) const {
  Outcome<AcceptedEnvelope> outcome = Verify(name, std::move(envelope));
  if (const auto* accepted = std::get_if<AcceptedEnvelope>(&outcome)) {
    if (std::optional<Refusal> refusal = CompareWithHeld(*accepted)) return *refusal;
  }
  return outcome;
}

Expected<std::unique_ptr<ReleaseStore::Staging>> ReleaseStore::Stage(
    const AcceptedEnvelope& accepted) {
  std::string path = PathOf("payloads", std::string(kStagingPrefix) + "XXXXXX");
  const int descriptor = mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) return SystemError("write", path, errno);
  auto staging = std::make_unique<Staging>(path, descriptor);
  if (Failure failure = staging->Append(accepted.integrated_payload)) return *failure;
  return staging;
}

Failure ReleaseStore::PlacePayload(const AcceptedEnvelope& accepted, Staging& staging) const {
  if (fchmod(staging.descriptor_, 0444) != 0 || fsync(staging.descriptor_) != 0) {
    return SystemError("sync", staging.path_, errno);
  }
  const std::string path = PathOf("payloads", HexText(accepted.payload_digest) + ".bin");
  if (rename(staging.path_.c_str(), path.c_str()) != 0) return SystemError("write", path, errno);
  staging.path_.clear();
  return SyncDirectoryOf(path);
}

Failure ReleaseStore::PlaceEnvelope(const AcceptedEnvelope& accepted) const {
  const std::string_view text = TextOf(accepted.bytes);
  const std::string name = HexText(ComputeDigest(text)) + ".suit";
  if (Failure failure = WriteDurably(PathOf("envelopes", name), text, 0444)) return failure;
  return WriteDurably(PathOf("models", accepted.name + ".suit"), text, 0644);
}

Failure ReleaseStore::PlaceModel(const AcceptedEnvelope& accepted) const {
  if (!accepted.is_payload_model) return std::nullopt;
  return LinkOver(PathOf("payloads", HexText(accepted.payload_digest) + ".bin"),
                  PathOf("models", accepted.name + ".tflite"));
}

Outcome<uint64_t> ReleaseStore::Publish(const AcceptedEnvelope& accepted, Staging& staging) {
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
  if (Failure failure = PlacePayload(accepted, staging)) return no_room(*failure);
  Expected<uint64_t> index = log_.Append(accepted.bytes);
  if (!index.ok()) return no_room(index.error());
  if (Failure failure = PlaceModel(accepted)) return no_room(*failure);
  if (Failure failure = PlaceEnvelope(accepted)) return no_room(*failure);
  return *index;
}

}  // namespace ota::server
