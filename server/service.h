// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "server/expected.h"
#include "server/http/http_server.h"

namespace ota::server {

struct ServiceOptions {
  std::string data_directory;             ///< Made if missing.
  std::string listen = "127.0.0.1:8443";  ///< HOST:PORT; port 0: any free one.
  std::string certificate_path;           ///< Empty: a development certificate in DIR/tls.
  std::string key_path;                   ///< Given if and only if certificate_path is.
  std::vector<std::string> host_names;    ///< More names for the development certificate.
  std::string access_log_path;            ///< Empty: stderr.
  std::string port_path;                  ///< Where the port is written; empty: nowhere.
  HttpLimits limits;
};

/// The whole server over one data directory: DIR/models is what it serves, DIR/tls holds its
/// development certificates, DIR/log its transparency log, DIR/lock keeps a second server out.
/// Start here to read the server.
class Service {
 public:
  /// Sets everything up and begins to serve; when it returns, connections are taken. Error: what
  /// could not be done, where, and what to do.
  static Expected<std::unique_ptr<Service>> Start(const ServiceOptions& options);

  /// Stops at once, if Stop was not called before.
  virtual ~Service() = default;

  virtual uint16_t port() const = 0;
  /// E.g. https://127.0.0.1:8443
  virtual std::string url() const = 0;
  /// The CA that peers must trust; empty with a certificate of the operator's own.
  virtual std::string ca_path() const = 0;
  /// What an operator should know, e.g. that a new CA was made; one sentence each.
  virtual const std::vector<std::string>& notices() const = 0;

  /// Opens the access log anew and reads the certificate anew. Error: what could not be read; the
  /// service goes on with what it had.
  virtual Failure Reload() = 0;

  /// Takes no more connections and lets what is in flight finish, within a bound.
  virtual void Stop() = 0;
};

}  // namespace ota::server
