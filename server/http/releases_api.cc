// SPDX-License-Identifier: Apache-2.0
#include "server/http/releases_api.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "server/artifact/artifact.h"

namespace ota::server {

namespace {

constexpr size_t kLengthBytes = 4;
constexpr uint64_t kSignedRootBytesMax = 4096;

Response RefusalResponse(const Refusal& refusal) {
  const std::string_view name =
      refusal.status == Status::kOk ? std::string_view() : StatusName(refusal.status);
  return ErrorResponse(refusal.http_status, refusal.what, refusal.remedy, name);
}

Response MalformedResponse(std::string_view what) {
  return ErrorResponse(422, what,
                       "send the length of the envelope as 4 bytes, big-endian, the envelope, "
                       "then the payload");
}

/// Takes one release: first its envelope, which it holds in memory, then its payload to the disk.
class ReleaseSink final : public BodySink {
 public:
  ReleaseSink(ReleaseStore& store, std::string name, std::function<void()> on_change)
      : store_(store), name_(std::move(name)), on_change_(std::move(on_change)) {}

  uint64_t bytes_max() const override {
    return kLengthBytes + kEnvelopeBytesMax + uint64_t{kArtifactBytesMax};
  }

  std::optional<Response> Append(ByteSpan bytes) override {
    if (!staging_) {
      std::optional<Response> refusal = AppendToHead(bytes);
      if (refusal || !staging_) return refusal;
    }
    if (staging_->size_bytes() + bytes.size() > accepted_.payload_bytes) {
      return ErrorResponse(413, "the payload is longer than the manifest says",
                           "send the payload that was made with this envelope");
    }
    if (Failure failure = staging_->Append(bytes)) {
      return ErrorResponse(507, failure->message, "make room at the server, then publish again");
    }
    return std::nullopt;
  }

  void Finish(const Answer& answer) override { answer(Publish()); }

 private:
  Response Publish() {
    if (!staging_) return MalformedResponse("the body ends within the envelope");
    const Outcome<uint64_t> outcome = store_.Publish(accepted_, *staging_);
    if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
      return RefusalResponse(*refusal);
    }
    on_change_();
    nlohmann::ordered_json json;
    json["name"] = name_;
    json["sequence_number"] = accepted_.sequence_number;
    json["payload_sha256"] = HexText(accepted_.payload_digest);
    json["log_index"] = std::get<uint64_t>(outcome);
    Response response;
    response.status = 201;
    response.AddHeader("Content-Type", "application/json");
    response.body = json.dump(2) + "\n";
    return response;
  }

  // Moves bytes from the front of `bytes` to the head until it is whole; then verifies it.
  std::optional<Response> AppendToHead(ByteSpan& bytes) {
    TakeUpTo(kLengthBytes, bytes);
    if (head_.size() < kLengthBytes) return std::nullopt;
    const uint32_t envelope_bytes = LoadBe32(head_.data());
    if (envelope_bytes == 0 || envelope_bytes > kEnvelopeBytesMax) {
      return MalformedResponse("the length of the envelope is not 1 to 32768");
    }
    TakeUpTo(kLengthBytes + envelope_bytes, bytes);
    if (head_.size() < kLengthBytes + envelope_bytes) return std::nullopt;
    head_.erase(head_.begin(), head_.begin() + kLengthBytes);
    Outcome<AcceptedEnvelope> outcome = store_.Accept(name_, std::move(head_));
    if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
      return RefusalResponse(*refusal);
    }
    accepted_ = std::get<AcceptedEnvelope>(std::move(outcome));
    Expected<std::unique_ptr<ReleaseStore::Staging>> staging = store_.Stage(accepted_);
    if (!staging.ok()) {
      return ErrorResponse(507, staging.error().message, "make room at the server");
    }
    staging_ = std::move(*staging);
    return std::nullopt;
  }

  void TakeUpTo(size_t wanted, ByteSpan& bytes) {
    const size_t count = std::min(wanted - std::min(wanted, head_.size()), bytes.size());
    head_.insert(head_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count));
    bytes = bytes.subspan(count);
  }

  ReleaseStore& store_;
  const std::string name_;
  const std::function<void()> on_change_;
  std::vector<uint8_t> head_;
  AcceptedEnvelope accepted_;
  std::unique_ptr<ReleaseStore::Staging> staging_;
};

/// Takes one version of the root metadata.
class RootSink final : public BodySink {
 public:
  RootSink(RootStore& roots, uint32_t version, std::function<void()> on_change)
      : roots_(roots), version_(version), on_change_(std::move(on_change)) {}

  uint64_t bytes_max() const override { return kSignedRootBytesMax; }
  std::optional<Response> Append(ByteSpan bytes) override {
    signed_root_.insert(signed_root_.end(), bytes.begin(), bytes.end());
    return std::nullopt;
  }
  void Finish(const Answer& answer) override {
    if (const std::optional<Refusal> refusal = roots_.Add(version_, signed_root_)) {
      return answer(RefusalResponse(*refusal));
    }
    on_change_();
    Response response;
    response.status = 201;
    response.AddHeader("Content-Type", "application/json");
    response.body = nlohmann::ordered_json{{"version", version_}}.dump(2) + "\n";
    answer(std::move(response));
  }

 private:
  RootStore& roots_;
  const uint32_t version_;
  const std::function<void()> on_change_;
  std::vector<uint8_t> signed_root_;
};

// Nothing if the request shows the token.
std::optional<Response> RefuseStranger(const Request& request, const PublisherToken& token) {
  if (token.Admits(request.FindHeader("Authorization").value_or(""))) return std::nullopt;
  Response response =
      ErrorResponse(401, "only publishers may publish",
                    "send Authorization: Bearer TOKEN, from publisher.token at the server");
  response.AddHeader("WWW-Authenticate", "Bearer");
  return response;
}

std::optional<uint32_t> ParseVersion(std::string_view text) {
  uint32_t version = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), version);
  const bool is_number = failed == std::errc() && end == text.data() + text.size();
  return is_number && version != 0 ? std::optional(version) : std::nullopt;
}

Response RootAbsent() {
  return ErrorResponse(404, "there is no such version of the root metadata",
                       "versions are numbered from 1 on");
}

Reply HandleRootPut(const Request& request, std::string_view version_text, RootStore& roots,
                    const PublisherToken& token, const std::function<void()>& on_change) {
  if (std::optional<Response> refusal = RefuseStranger(request, token)) return std::move(*refusal);
  const std::optional<uint32_t> version = ParseVersion(version_text);
  if (!version) return RootAbsent();
  return std::make_unique<RootSink>(roots, *version, on_change);
}

Response HandleRootGet(std::string_view version_text, const RootStore& roots) {
  const std::optional<uint32_t> version = ParseVersion(version_text);
  const auto signed_root = version ? roots.Find(*version) : std::nullopt;
  if (!signed_root) return RootAbsent();
  Response response;
  response.AddHeader("Content-Type", "application/cbor");
  response.body = std::string(signed_root->begin(), signed_root->end());
  return response;
}

Reply HandleReleasePut(const Request& request, std::string_view name, ReleaseStore& store,
                       const PublisherToken& token, const std::function<void()>& on_change) {
  if (std::optional<Response> refusal = RefuseStranger(request, token)) return std::move(*refusal);
  if (!IsArtifactName(name) || !formats::IsComponentName(name)) {
    return ErrorResponse(422, "\"" + std::string(name) + "\" cannot be the name of a release",
                         "use 1 to 32 letters, digits, '_', '-' and '.'");
  }
  return std::make_unique<ReleaseSink>(store, std::string(name), on_change);
}

}  // namespace

void AddReleaseRoutes(Router& router, ReleaseStore& store, const PublisherToken& token,
                      std::function<void()> on_change) {
  router.Add("PUT", "/releases/{name}",
             [&store, &token, on_change = std::move(on_change)](
                 const Request& request, const Router::PathParts& parts) -> Reply {
               return HandleReleasePut(request, parts[0], store, token, on_change);
             });
}

void AddRootRoutes(Router& router, RootStore& roots, const PublisherToken& token,
                   std::function<void()> on_change) {
  router.Add("GET", "/roots/{version}",
             [&roots](const Request&, const Router::PathParts& parts) -> Reply {
               return HandleRootGet(parts[0], roots);
             });
  router.Add("PUT", "/roots/{version}",
             [&roots, &token, on_change = std::move(on_change)](
                 const Request& request, const Router::PathParts& parts) -> Reply {
               return HandleRootPut(request, parts[0], roots, token, on_change);
             });
}

}  // namespace ota::server
