// SPDX-License-Identifier: Apache-2.0
#include "server/http/poll_api.h"

#include "server/http/representation.h"

namespace ota::server {

namespace {

constexpr std::string_view kMediaType = "application/cbor";

Response PollError(Status status) {
  switch (status) {
    case Status::kNotFound:
      return ErrorResponse(503, "this server has no root metadata yet",
                           "its operator publishes some, `ota-tinyml trust publish`");
    case Status::kSignerUnknown:
      return ErrorResponse(503, "the root metadata names another freshness key than this server's",
                           "its operator rotates to the key in freshness.pub.pem");
    case Status::kKeyInvalid:
      return ErrorResponse(500, "the freshness key could not sign",
                           "tell the operator of this server");
    case Status::kBusy: {
      Response response = ErrorResponse(503, "too many devices ask at once", "ask again later");
      response.AddHeader("Retry-After", "5");
      return response;
    }
    default:
      return ErrorResponse(400, "this is no poll: " + std::string(StatusSentence(status)),
                           "send the bytes of docs/formats/poll.md", StatusName(status));
  }
}

Response PollResponse(const Result<formats::Bytes>& answer) {
  if (!answer.ok()) return PollError(answer.status());
  Response response;
  response.AddHeader("Content-Type", std::string(kMediaType));
  response.AddHeader("Cache-Control", "no-store");
  response.body = std::string(answer->begin(), answer->end());
  return response;
}

class PollSink final : public BodySink {
 public:
  explicit PollSink(PollDesk& desk) : desk_(desk) {}

  uint64_t bytes_max() const override { return formats::kPollQuestionBytesMax; }

  std::optional<Response> Append(ByteSpan bytes) override {
    question_.insert(question_.end(), bytes.begin(), bytes.end());
    return std::nullopt;
  }

  void Finish(const Answer& answer) override {
    const Status status = desk_.Ask(
        question_, [answer](const Result<formats::Bytes>& bytes) { answer(PollResponse(bytes)); });
    if (!IsOk(status)) answer(PollError(status));
  }

 private:
  PollDesk& desk_;
  formats::Bytes question_;
};

Response HandleDigestGet(const Request& request, std::string_view hex, ArtifactStore& store,
                         std::string_view media_type) {
  const Result<std::shared_ptr<Artifact>> artifact = store.OpenArtifact(hex);
  if (!artifact.ok() || HexText((*artifact)->digest()) != hex) {
    return ErrorResponse(404, "nothing with this digest is here", "poll again for what is offered");
  }
  Representation representation;
  representation.entity_tag = "\"" + std::string(hex) + "\"";
  representation.headers = {{"Content-Type", std::string(media_type)}};
  representation.source = *artifact;
  return ServeRepresentation(request, std::move(representation));
}

}  // namespace

void AddPollRoutes(Router& router, PollDesk& desk) {
  router.Add("POST", "/poll", [&desk](const Request&, const Router::PathParts&) -> Reply {
    return std::make_unique<PollSink>(desk);
  });
}

void AddDigestRoutes(Router& router, ArtifactStore& envelopes, ArtifactStore& payloads) {
  router.Add("GET", "/envelopes/{digest}",
             [&envelopes](const Request& request, const Router::PathParts& parts) -> Reply {
               return HandleDigestGet(request, parts[0], envelopes,
                                      "application/suit-envelope+cose");
             });
  router.Add("GET", "/payloads/{digest}",
             [&payloads](const Request& request, const Router::PathParts& parts) -> Reply {
               return HandleDigestGet(request, parts[0], payloads, "application/octet-stream");
             });
}

}  // namespace ota::server
