// SPDX-License-Identifier: Apache-2.0
#include "server/http/releases_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "server/artifact/artifact.h"

namespace ota::server {

namespace {

constexpr size_t kLengthBytes = 4;

Response RefusalResponse(const ReleaseStore::Refusal& refusal) {
  return ErrorResponse(refusal.http_status, refusal.what, refusal.remedy);
}

Response MalformedResponse(std::string_view what) {
  return ErrorResponse(422, what,
                       "send the length of the envelope as 4 bytes, big-endian, the envelope, "
                       "then the payload");
}

/// Takes one release: first its envelope, which it holds in memory, then its payload to the disk.
class ReleaseSink final : public BodySink {
 public:
  ReleaseSink(ReleaseStore& store, std::string name) : store_(store), name_(std::move(name)) {}

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

  Response Finish() override {
    if (!staging_) return MalformedResponse("the body ends within the envelope");
    const ReleaseStore::Outcome<uint64_t> outcome = store_.Publish(accepted_, *staging_);
    if (const auto* refusal = std::get_if<ReleaseStore::Refusal>(&outcome)) {
      return RefusalResponse(*refusal);
    }
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

 private:
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
    ReleaseStore::Outcome<AcceptedEnvelope> outcome = store_.Accept(name_, std::move(head_));
    if (const auto* refusal = std::get_if<ReleaseStore::Refusal>(&outcome)) {
      return RefusalResponse(*refusal);
    }
    accepted_ = std::get<AcceptedEnvelope>(std::move(outcome));
    Expected<std::unique_ptr<ReleaseStore::Staging>> staging = store_.Stage();
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
  std::vector<uint8_t> head_;
  AcceptedEnvelope accepted_;
  std::unique_ptr<ReleaseStore::Staging> staging_;
};

Reply HandleReleasePut(const Request& request, std::string_view name, ReleaseStore& store,
                       const PublisherToken& token) {
  if (!token.Admits(request.FindHeader("Authorization").value_or(""))) {
    Response response =
        ErrorResponse(401, "only publishers may publish",
                      "send Authorization: Bearer TOKEN, from publisher.token at the server");
    response.AddHeader("WWW-Authenticate", "Bearer");
    return response;
  }
  if (!IsArtifactName(name) || !formats::IsComponentName(name)) {
    return ErrorResponse(422, "\"" + std::string(name) + "\" cannot be the name of a release",
                         "use 1 to 32 letters, digits, '_', '-' and '.'");
  }
  return std::make_unique<ReleaseSink>(store, std::string(name));
}

}  // namespace

void AddReleaseRoutes(Router& router, ReleaseStore& store, const PublisherToken& token) {
  router.Add("PUT", "/releases/{name}",
             [&](const Request& request, const Router::PathParts& parts) -> Reply {
               return HandleReleasePut(request, parts[0], store, token);
             });
}

}  // namespace ota::server
