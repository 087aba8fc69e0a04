// SPDX-License-Identifier: Apache-2.0
#include "server/http/models_api.h"

#include <array>
#include <nlohmann/json.hpp>

#include "server/artifact/c_array.h"
#include "server/http/representation.h"

namespace ota::server {

namespace {

using Json = nlohmann::ordered_json;

struct Form {
  std::string_view suffix;
  std::string_view media_type;
  bool is_c_array;
};

constexpr std::string_view kEnvelopeSuffix = ".suit";

constexpr std::array<Form, 3> kForms = {{{".tflite", "application/octet-stream", false},
                                         {".bin", "application/octet-stream", false},
                                         {".h", "text/x-c; charset=us-ascii", true}}};

const Form* FindForm(std::string_view name) {
  for (const Form& form : kForms) {
    if (name.ends_with(form.suffix)) return &form;
  }
  return nullptr;
}

std::string EntityTag(const Digest& digest, const Form& form) {
  // The text of the C array has a version of its own, to be raised when its layout changes.
  return "\"" + HexText(digest) + (form.is_c_array ? "-h1\"" : "\"");
}

// A text with an entity tag as a source, for answers that are made and not stored.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  uint32_t size_bytes() const override { return static_cast<uint32_t>(text_.size()); }
  Status Read(uint32_t offset, MutableByteSpan target) override {
    const ByteSpan bytes(reinterpret_cast<const uint8_t*>(text_.data()), text_.size());
    return MemoryByteSource(bytes).Read(offset, target);
  }

 private:
  const std::string text_;
};

Response ServeJson(const Request& request, const Json& json) {
  std::string text = json.dump(2) + "\n";
  Representation representation;
  representation.entity_tag = "\"" + HexText(ComputeDigest(text)) + "\"";
  representation.headers = {{"Content-Type", "application/json"}};
  representation.source = std::make_shared<TextSource>(std::move(text));
  return ServeRepresentation(request, std::move(representation));
}

Json IndexEntry(const ArtifactStore::Entry& entry) {
  Json json;
  json["name"] = entry.name;
  json["size"] = entry.size_bytes;
  json["sha256"] = HexText(entry.digest);
  json["etag"] = EntityTag(entry.digest, kForms[0]);
  Json& forms = json["forms"];
  for (const Form& form : kForms) {
    forms[std::string(form.suffix.substr(1))] = "/models/" + entry.name + std::string(form.suffix);
  }
  return json;
}

Response HandleIndexGet(const Request& request, ArtifactStore& store) {
  Json models = Json::array();
  for (const ArtifactStore::Entry& entry : store.List()) models.push_back(IndexEntry(entry));
  return ServeJson(request, Json{{"models", std::move(models)}});
}

Response ModelError(Status status, const std::string& name) {
  switch (status) {
    case Status::kNameInvalid:
      return ErrorResponse(404, "\"" + name + "\" cannot be the name of a model",
                           "a name has 1 to 64 letters, digits, '_', '-' and '.'; GET /models/ "
                           "lists the models");
    case Status::kNotFound:
      return ErrorResponse(404, "there is no model named \"" + name + "\"",
                           "GET /models/ lists the models");
    case Status::kBusy: {
      Response response = ErrorResponse(503, "the model \"" + name + "\" is being replaced",
                                        "ask again in a second");
      response.AddHeader("Retry-After", "1");
      return response;
    }
    default:
      return ErrorResponse(
          500, "the model \"" + name + "\" cannot be read: " + std::string(StatusSentence(status)),
          "tell the operator of this server");
  }
}

Response HandleModelGet(const Request& request, std::string_view model, ArtifactStore& store) {
  const Form* const form = FindForm(model);
  if (form == nullptr) {
    return ErrorResponse(404, "\"" + std::string(model) + "\" is no form of a model",
                         "ask for NAME.tflite, .bin, .h or .suit; GET /models/ lists the models");
  }
  const std::string name(model.substr(0, model.size() - form->suffix.size()));
  const Result<std::shared_ptr<Artifact>> artifact = store.OpenArtifact(name);
  if (!artifact.ok()) return ModelError(artifact.status(), name);
  const Digest& digest = (*artifact)->digest();
  Representation representation;
  representation.entity_tag = EntityTag(digest, *form);
  representation.headers = {{"Content-Type", std::string(form->media_type)}};
  if (form->is_c_array) {
    representation.source = std::make_shared<CArray>(*artifact);
  } else {
    representation.source = *artifact;
    representation.headers.push_back({"Repr-Digest", "sha-256=:" + Base64Text(digest) + ":"});
  }
  return ServeRepresentation(request, std::move(representation));
}

Response HandleEnvelopeGet(const Request& request, const std::string& name,
                           ArtifactStore& envelopes) {
  const Result<std::shared_ptr<Artifact>> envelope = envelopes.OpenArtifact(name);
  if (!envelope.ok()) return ModelError(envelope.status(), name + std::string(kEnvelopeSuffix));
  Representation representation;
  representation.entity_tag = "\"" + HexText((*envelope)->digest()) + "\"";
  representation.headers = {{"Content-Type", "application/suit-envelope+cose"}};
  representation.source = *envelope;
  return ServeRepresentation(request, std::move(representation));
}

}  // namespace

void AddModelRoutes(Router& router, ArtifactStore& models, ArtifactStore& envelopes) {
  const auto index = [&models](const Request& request, const Router::PathParts&) -> Reply {
    return HandleIndexGet(request, models);
  };
  router.Add("GET", "/models", index);
  router.Add("GET", "/models/", index);
  router.Add("GET", "/models/{model}",
             [&](const Request& request, const Router::PathParts& parts) -> Reply {
               const std::string_view model = parts[0];
               if (!model.ends_with(kEnvelopeSuffix)) return HandleModelGet(request, model, models);
               const size_t name_size = model.size() - kEnvelopeSuffix.size();
               return HandleEnvelopeGet(request, std::string(model.substr(0, name_size)),
                                        envelopes);
             });
}

void AddServiceRoutes(Router& router) {
  router.Add("GET", "/", [](const Request& request, const Router::PathParts&) -> Reply {
    return ServeJson(request, Json{{"service", "ota-tinyml"},
                                   {"models", "/models/"},
                                   {"log", "/log/head"},
                                   {"health", "/healthz"}});
  });
  router.Add("GET", "/healthz", [](const Request&, const Router::PathParts&) -> Reply {
    Response response;
    response.AddHeader("Content-Type", "application/json");
    response.AddHeader("Cache-Control", "no-store");
    response.body = std::string("{\"status\": \"ok\"}\n");
    return response;
  });
}

}  // namespace ota::server
