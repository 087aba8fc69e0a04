// SPDX-License-Identifier: Apache-2.0
#include "cli/server_attack.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "agent/transport/https_exchange.h"
#include "agent/transport/https_payload_source.h"
#include "cli/commands.h"
#include "cli/device_link.h"
#include "cli/https_request.h"
#include "crypto/host/pem_key.h"
#include "server/service.h"
#include "simulator/attack/scene.h"

namespace ota::cli {

using formats::Bytes;
using simulator::Draft;
using simulator::Scene;

namespace {

namespace fs = std::filesystem;

constexpr uint64_t kGoodSequence = 1'000;

std::string MakeDirectory() {
  std::string pattern = fs::temp_directory_path() / "ota-server-attack-XXXXXX";
  return mkdtemp(pattern.data());
}

crypto::P256PublicKey ReadPublicKey(const std::string& path) {
  std::ifstream file(path);
  const std::string pem{std::istreambuf_iterator<char>(file), {}};
  const Result<crypto::P256PublicKey> key = crypto::DecodePublicPem(pem);
  if (!key.ok()) throw CommandError("the server has made no freshness key");
  return *key;
}

std::string Text(const Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

// The length of the envelope, the envelope, the payload.
std::string UploadOf(const Bytes& envelope, const Bytes& payload) {
  Bytes length(sizeof(uint32_t));
  StoreBe32(length.data(), static_cast<uint32_t>(envelope.size()));
  return Text(length) + Text(envelope) + Text(payload);
}

}  // namespace

/// A real server with a directory of its own, a publisher, and a device that polls it.
class ServerScene {
 public:
  ServerScene()
      : directory(MakeDirectory()),
        service_(StartService(directory)),
        scene(ReadPublicKey(directory + "/freshness.pub.pem")),
        link_(service_->url(), service_->ca_path()) {
    std::ifstream(directory + "/publisher.token") >> token;
    Send("PUT", "/roots/1", Text(scene.signed_roots[0]));
  }
  ~ServerScene() {
    link_.client().Close();  // an open connection would keep the server
    service_.reset();
    std::error_code ignored;
    fs::remove_all(directory, ignored);
  }
  ServerScene(const ServerScene&) = delete;
  ServerScene& operator=(const ServerScene&) = delete;

  /// Status of HTTP, and the name of the refusal if there is one.
  std::string Send(const std::string& method, const std::string& path, const std::string& body) {
    HttpsRequest request;
    request.server = service_->url();
    request.ca_path = service_->ca_path();
    request.method = method;
    request.path = path;
    request.body = body;
    if (!token.empty()) request.headers = {"Authorization: Bearer " + token};
    const HttpsResponse response = FetchHttps(request);
    const auto json = nlohmann::json::parse(response.body, nullptr, false);
    std::string answer = std::to_string(response.status);
    if (json.is_object() && json.contains("error") && json["error"].contains("name")) {
      answer += " " + json["error"]["name"].get<std::string>();
    }
    return answer;
  }

  std::string Publish(const Draft& draft, const std::vector<crypto::SigningKey*>& signers) {
    return Send("PUT", "/releases/kws", UploadOf(draft.Sign(signers), draft.image));
  }
  std::string PublishGood(uint64_t sequence) {
    return Publish(Draft("kws", sequence), {scene.release.get()});
  }

  /// One round of the device; the name of its status.
  std::string Poll() {
    agent::HttpsExchange exchange(link_.client(), link_.port().clock, link_.prefix());
    agent::HttpsPayloadSource source(link_.client(), link_.prefix());
    return std::string(StatusName(scene.device->Poll(link_.port(), exchange, source, false)));
  }

  /// Every file of a folder of the server's directory, with its first byte changed.
  void AlterFiles(const std::string& folder) {
    for (const auto& entry : fs::directory_iterator(directory + "/" + folder)) {
      fs::permissions(entry.path(), fs::perms::owner_write, fs::perm_options::add);
      std::fstream file(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
      const int first = file.get();
      file.seekp(0);
      file.put(static_cast<char>(first ^ 1));
    }
  }

  const std::string directory;

 private:
  static std::unique_ptr<server::Service> StartService(const std::string& directory) {
    server::ServiceOptions options;
    options.data_directory = directory;
    options.listen = "127.0.0.1:0";
    options.access_log_path = directory + "/access.log";
    auto started = server::Service::Start(options);
    if (!started.ok()) throw CommandError(started.error().message);
    return std::move(*started);
  }

  std::unique_ptr<server::Service> service_;

 public:
  Scene scene;
  std::string token;  ///< that Send shows

 private:
  DeviceLink link_;
};

namespace {

using Attacked = ServerScene;

std::string PublishAfterRevocation(Attacked& s) {
  formats::RootSpec next = s.scene.root;
  ++next.version;
  next.release_roles[0].key_set.keys = {s.scene.second_release->public_key()};
  next.release_roles[1].key_set.keys[0] = s.scene.new_root_key->public_key();
  s.Send("PUT", "/roots/2", Text(s.scene.SignRoot(next, s.scene.RootSigners())));
  std::swap(s.scene.release, s.scene.second_release);
  return s.Publish(Draft("kws", 5), {s.scene.second_release.get()});
}

std::string PollWhileFlooded(Attacked& s) {
  s.PublishGood(5);
  for (int i = 0; i < 50; ++i) {
    const Draft draft("kws", static_cast<uint64_t>(100 + i));
    s.Publish(draft, {s.scene.stranger.get()});
    s.Send("POST", "/poll", "nonsense");
  }
  return s.Poll();
}

// With what is altered on its disk the server has nothing to offer; the device stays as it is.
std::string PollAltered(Attacked& s, const std::string& folder) {
  s.PublishGood(5);
  s.AlterFiles(folder);
  return s.Poll();
}

std::string SendRootBy(Attacked& s, uint32_t version,
                       const std::vector<crypto::SigningKey*>& signers) {
  formats::RootSpec next = s.scene.root;
  next.version = version;
  next.expires_s = UINT64_MAX;
  return s.Send("PUT", "/roots/" + std::to_string(version), Text(s.scene.SignRoot(next, signers)));
}

constexpr ServerAttack kAttacks[] = {
    {"good_release", "Nothing: a release is published, the device polls", "Ok",
     [](Attacked& s) {
       s.PublishGood(5);
       return s.Poll();
     }},
    {"no_token", "Uploads without a publisher's token", "401",
     [](Attacked& s) {
       const std::string token = std::exchange(s.token, "");
       const std::string answer = s.PublishGood(5);
       s.token = token;
       return answer;
     }},
    {"stolen_token", "Uploads with a stolen token what he has signed himself", "403 SignerUnknown",
     [](Attacked& s) { return s.Publish(Draft("kws", 5), {s.scene.stranger.get()}); }},
    {"stolen_token_freshness_key", "Signs a release with the server's own key", "403 SignerUnknown",
     [](Attacked& s) { return s.Publish(Draft("kws", 5), {s.scene.freshness.get()}); }},
    {"stolen_token_root", "Uploads a root that one root key has signed", "403 ThresholdNotMet",
     [](Attacked& s) { return SendRootBy(s, 2, {s.scene.root_keys[0].get()}); }},
    {"replaced_root", "Uploads another first version of the root", "409",
     [](Attacked& s) { return SendRootBy(s, 1, s.scene.RootSigners()); }},
    {"skipped_root", "Uploads the third root behind the first", "409",
     [](Attacked& s) { return SendRootBy(s, 3, s.scene.RootSigners()); }},
    {"revoked_key", "Uploads with a token and a release key that was revoked", "403 SignerUnknown",
     PublishAfterRevocation},
    {"other_component", "Signs for a component that the key is not for", "403 SignerNotDelegated",
     [](Attacked& s) {
       const Draft draft("door-lock", 5);
       return s.Send("PUT", "/releases/door-lock",
                     UploadOf(draft.Sign({s.scene.release.get()}), draft.image));
     }},
    {"older_release", "Uploads an older release again", "409",
     [](Attacked& s) {
       s.PublishGood(7);
       return s.PublishGood(6);
     }},
    {"other_payload", "Uploads another payload than was signed", "422",
     [](Attacked& s) {
       Draft draft("kws", 5);
       const Bytes envelope = draft.Sign({s.scene.release.get()});
       draft.image[50] ^= 1;
       return s.Send("PUT", "/releases/kws", UploadOf(envelope, draft.image));
     }},
    {"endless_upload", "Uploads a megabyte more than was signed", "413",
     [](Attacked& s) {
       Draft draft("kws", 5);
       const Bytes envelope = draft.Sign({s.scene.release.get()});
       draft.image.resize(1 << 20);
       return s.Send("PUT", "/releases/kws", UploadOf(envelope, draft.image));
     }},
    {"name_with_a_path", "Gives the release a name that leads out of the directory", "422",
     [](Attacked& s) { return s.Send("PUT", "/releases/..", "x"); }},
    {"reads_the_token", "Asks for the publisher's token through the models", "404",
     [](Attacked& s) { return s.Send("GET", "/payloads/..%2Fpublisher.token", ""); }},
    {"malformed_poll", "Sends what is no poll", "400 CborTypeUnexpected",
     [](Attacked& s) { return s.Send("POST", "/poll", "nonsense"); }},
    {"endless_poll", "Sends a megabyte as a poll", "413",
     [](Attacked& s) { return s.Send("POST", "/poll", std::string(1 << 20, 'x')); }},
    {"payload_altered_on_disk", "Changes a bit of the payload on the server's disk", "NotFound",
     [](Attacked& s) { return PollAltered(s, "payloads"); }},
    {"envelope_altered_on_disk", "Changes a bit of the envelope on the server's disk", "NotFound",
     [](Attacked& s) { return PollAltered(s, "envelopes"); }},
    {"fraud_again_and_again", "Floods the server with forged releases while a device polls", "Ok",
     PollWhileFlooded},
};

}  // namespace

std::span<const ServerAttack> AllServerAttacks() { return kAttacks; }

ServerAttackOutcome PlayServerAttack(const ServerAttack& attack) {
  ServerScene scene;
  ServerAttackOutcome outcome;
  outcome.answer = attack.play(scene);
  if (outcome.answer != attack.expected) {
    outcome.failure = "answered " + outcome.answer;
  } else if (scene.scene.device->has_been_swayed()) {
    outcome.failure = "what was refused has changed the device";
  } else if (const std::string good = scene.PublishGood(kGoodSequence); good != "201") {
    outcome.failure = "a good release is refused afterwards: " + good;
  } else if (const std::string polled = scene.Poll(); polled != "Ok") {
    outcome.failure = "the device takes no good release afterwards: " + polled;
  }
  return outcome;
}

}  // namespace ota::cli
