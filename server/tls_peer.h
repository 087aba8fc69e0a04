// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ota::server {

/// For tests: a peer that sends what it is told, byte for byte, over TLS to 127.0.0.1. Every wait
/// has a bound of ten seconds.
class TlsPeer {
 public:
  struct Options {
    std::string ca_path;
    int protocol = 0;              ///< E.g. TLS1_2_VERSION alone; 0: any.
    int receive_buffer_bytes = 0;  ///< Of the socket; 0: as the system has it.
  };
  /// Connects; is_open() tells whether the handshake succeeded.
  TlsPeer(uint16_t port, const Options& options);
  ~TlsPeer();
  TlsPeer(const TlsPeer&) = delete;
  TlsPeer& operator=(const TlsPeer&) = delete;

  bool is_open() const { return is_open_; }
  std::string protocol() const { return SSL_get_version(tls_.get()); }

  /// False once the server does not take it.
  bool Send(std::string_view text);
  /// What arrives next, at most `bytes_max`; empty at the end.
  std::string ReceiveSome(size_t bytes_max = 16 * 1024);
  /// Everything up to the end of the connection.
  std::string ReceiveAll();
  /// One response with the body that Content-Length announces.
  std::string ReceiveResponse(bool has_body = true);

 private:
  struct Free {
    void operator()(SSL* tls) const { SSL_free(tls); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  int socket_ = -1;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> tls_;
  bool is_open_ = false;
  std::string pending_;
};

/// A plain TCP connection to 127.0.0.1; -1 if it was refused.
int ConnectTcp(uint16_t port, int receive_buffer_bytes = 0);

}  // namespace ota::server
