// SPDX-License-Identifier: Apache-2.0
#include "server/service.h"

#include <sys/stat.h>

#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "server/artifact/artifact_store.h"
#include "server/directory_lock.h"
#include "server/durable_write.h"
#include "server/http/listen_address.h"
#include "server/http/log_api.h"
#include "server/http/models_api.h"
#include "server/http/poll_api.h"
#include "server/http/releases_api.h"
#include "server/key_pair.h"
#include "server/tls/development_certificate.h"

namespace ota::server {

namespace {

constexpr std::chrono::seconds kRefreshPeriod{2};
constexpr std::chrono::hours kCertificatePeriod{12};

Failure MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0755) == 0) return std::nullopt;
  const int error = errno;
  struct stat state;
  if (error == EEXIST && stat(path.c_str(), &state) == 0 && S_ISDIR(state.st_mode)) {
    return std::nullopt;
  }
  return SystemError("make the directory", path, error);
}

class RunningService final : public Service {
 public:
  explicit RunningService(const ServiceOptions& options) : options_(options) {}
  ~RunningService() override { Stop(); }

  Failure SetUp();

  uint16_t port() const override { return http_->port(); }
  std::string url() const override {
    return "https://" + HostAndPort(http_options_.address, http_->port());
  }
  std::string ca_path() const override { return ca_path_; }
  const std::vector<std::string>& notices() const override { return notices_; }
  Failure Reload() override;
  void Stop() override;

 private:
  bool has_own_certificate() const { return !options_.certificate_path.empty(); }
  Failure PrepareDirectories();
  Failure PrepareReleases();
  Failure PreparePolls();
  Failure PrepareCertificate();
  Failure StartHttp();
  Expected<DevelopmentCertificate> EnsureCertificate() const;
  void Refresh();

  const ServiceOptions options_;
  HttpServerOptions http_options_;
  std::string ca_path_;
  std::vector<std::string> notices_;
  DirectoryLock lock_;
  std::unique_ptr<ArtifactStore> store_;
  std::unique_ptr<ArtifactStore> newest_envelopes_;
  std::unique_ptr<ArtifactStore> envelopes_;
  std::unique_ptr<ArtifactStore> payloads_;
  std::unique_ptr<TransparencyLog> transparency_log_;
  std::unique_ptr<RootStore> roots_;
  std::unique_ptr<ReleaseStore> releases_;
  std::optional<PublisherToken> publisher_token_;
  std::unique_ptr<ReleaseIndex> release_index_;
  std::unique_ptr<crypto::PemKey> freshness_key_;
  std::unique_ptr<FreshnessSigner> freshness_signer_;
  std::unique_ptr<PollDesk> poll_desk_;
  std::unique_ptr<AccessLog> log_;
  Router router_;
  std::unique_ptr<HttpServer> http_;

  std::mutex mutex_;  // guards is_stopping_
  std::condition_variable stopping_;
  bool is_stopping_ = false;
  std::thread refresher_;
};

Failure RunningService::SetUp() {
  Expected<ListenAddress> address = ParseListenAddress(options_.listen);
  if (!address.ok()) return address.error();
  http_options_.address = address->host;
  http_options_.port = address->port;
  http_options_.limits = options_.limits;
  if (Failure failure = PrepareDirectories()) return failure;
  if (Failure failure = PrepareCertificate()) return failure;
  return StartHttp();
}

Failure RunningService::PrepareDirectories() {
  const std::string& directory = options_.data_directory;
  if (Failure failure = MakeDirectory(directory)) return failure;
  if (Failure failure = lock_.Take(directory)) return failure;
  if (Failure failure = MakeDirectory(directory + "/models")) return failure;
  Expected<std::unique_ptr<ArtifactStore>> store = ArtifactStore::Open(directory + "/models");
  if (!store.ok()) return store.error();
  store_ = std::move(*store);
  Expected<std::unique_ptr<TransparencyLog>> log = TransparencyLog::Open(directory + "/log");
  if (!log.ok()) return log.error();
  transparency_log_ = std::move(*log);
  return PrepareReleases();
}

// Takes the value over, or gives the error back.
template <typename T>
Failure Keep(Expected<T> made, T& target) {
  if (!made.ok()) return made.error();
  target = std::move(*made);
  return std::nullopt;
}

Failure RunningService::PrepareReleases() {
  const std::string& directory = options_.data_directory;
  if (Failure failure = Keep(RootStore::Open(directory + "/roots"), roots_)) return failure;
  if (Failure failure = Keep(ReleaseStore::Open(directory, *roots_, *transparency_log_), releases_))
    return failure;
  if (Failure failure =
          Keep(ArtifactStore::Open(directory + "/models", ".suit"), newest_envelopes_))
    return failure;
  if (Failure failure = Keep(ArtifactStore::Open(directory + "/envelopes", ".suit"), envelopes_))
    return failure;
  if (Failure failure = Keep(ArtifactStore::Open(directory + "/payloads", ".bin"), payloads_))
    return failure;
  Expected<PublisherToken> token = PublisherToken::Open(directory + "/publisher.token");
  if (!token.ok()) return token.error();
  publisher_token_ = *token;
  return PreparePolls();
}

Failure RunningService::PreparePolls() {
  const std::string path = options_.data_directory + "/freshness";
  if (Failure failure = Keep(OpenKeyPair(path, KeyPairUse::kMayBeMade), freshness_key_))
    return failure;
  release_index_ = std::make_unique<ReleaseIndex>(*envelopes_, *roots_);
  release_index_->Refresh();
  freshness_signer_ = std::make_unique<FreshnessSigner>(*freshness_key_, *roots_);
  poll_desk_ =
      std::make_unique<PollDesk>(*release_index_, *roots_, *transparency_log_, *freshness_signer_);
  return std::nullopt;
}

Expected<DevelopmentCertificate> RunningService::EnsureCertificate() const {
  std::vector<std::string> names = options_.host_names;
  names.push_back(http_options_.address);
  return EnsureDevelopmentCertificate(options_.data_directory + "/tls", names);
}

Failure RunningService::PrepareCertificate() {
  http_options_.certificate_path = options_.certificate_path;
  http_options_.key_path = options_.key_path;
  if (has_own_certificate()) return std::nullopt;
  Expected<DevelopmentCertificate> made = EnsureCertificate();
  if (!made.ok()) return made.error();
  ca_path_ = made->ca_path;
  http_options_.certificate_path = made->certificate_path;
  http_options_.key_path = made->key_path;
  if (made->is_ca_new) {
    notices_.push_back("made a development CA, which devices and curl --cacert need: " +
                       made->ca_path);
  }
  if (made->is_certificate_new) {
    notices_.push_back("made a server certificate: " + made->certificate_path);
  }
  return std::nullopt;
}

Failure RunningService::StartHttp() {
  Expected<std::unique_ptr<AccessLog>> log = AccessLog::Open(options_.access_log_path);
  if (!log.ok()) return log.error();
  log_ = std::move(*log);
  AddServiceRoutes(router_);
  AddModelRoutes(router_, *store_, *newest_envelopes_);
  AddDigestRoutes(router_, *envelopes_, *payloads_);
  AddReleaseRoutes(router_, *releases_, *publisher_token_, [this] { release_index_->Refresh(); });
  AddRootRoutes(router_, *roots_, *publisher_token_, [this] { release_index_->Refresh(); });
  AddPollRoutes(router_, *poll_desk_);
  AddLogRoutes(router_, *transparency_log_);
  Expected<std::unique_ptr<HttpServer>> http = HttpServer::Start(http_options_, router_, *log_);
  if (!http.ok()) return http.error();
  http_ = std::move(*http);
  refresher_ = std::thread([this] { Refresh(); });
  if (options_.port_path.empty()) return std::nullopt;
  return WriteDurably(options_.port_path, std::to_string(http_->port()) + "\n", 0644);
}

// Computes digests of new models before anybody asks, and renews the development certificate.
void RunningService::Refresh() {
  auto certificate_checked = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    (void)store_->List();     // Only for what it remembers.
    (void)roots_->Refresh();  // What a device would refuse is not taken.
    release_index_->Refresh();
    const auto now = std::chrono::steady_clock::now();
    if (!has_own_certificate() && now - certificate_checked >= kCertificatePeriod) {
      certificate_checked = now;
      Expected<DevelopmentCertificate> made = EnsureCertificate();
      if (made.ok() && made->is_certificate_new) {
        (void)http_->ReloadCertificate();  // If it fails the old one stays; tried again later.
      }
    }
    lock.lock();
    stopping_.wait_for(lock, kRefreshPeriod, [this] { return is_stopping_; });
  }
}

Failure RunningService::Reload() {
  Failure failure = log_->Reopen();
  Failure certificate_failure = http_->ReloadCertificate();
  return failure ? failure : certificate_failure;
}

void RunningService::Stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stopping_.notify_all();
  if (refresher_.joinable()) refresher_.join();
  if (http_) http_->Stop();
}

}  // namespace

Expected<std::unique_ptr<Service>> Service::Start(const ServiceOptions& options) {
  auto service = std::make_unique<RunningService>(options);
  if (Failure failure = service->SetUp()) return *failure;
  return std::unique_ptr<Service>(std::move(service));
}

}  // namespace ota::server
