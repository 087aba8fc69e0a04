// SPDX-License-Identifier: Apache-2.0
#include "server/tls_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace ota::server {

int ConnectTcp(uint16_t port, int receive_buffer_bytes) {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const struct timeval ten_seconds = {10, 0};
  setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &ten_seconds, sizeof ten_seconds);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &ten_seconds, sizeof ten_seconds);
  if (receive_buffer_bytes > 0) {
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes,
               sizeof receive_buffer_bytes);
  }
  struct sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor, reinterpret_cast<struct sockaddr*>(&address), sizeof address) == 0) {
    return descriptor;
  }
  close(descriptor);
  return -1;
}

TlsPeer::TlsPeer(uint16_t port, const Options& options)
    : socket_(ConnectTcp(port, options.receive_buffer_bytes)),
      context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_load_verify_locations(context_.get(), options.ca_path.c_str(), nullptr);
  // Otherwise a read could return only after a session ticket, with nothing in it.
  SSL_CTX_set_mode(context_.get(), SSL_MODE_AUTO_RETRY);
  if (options.protocol != 0) {
    SSL_CTX_set_min_proto_version(context_.get(), options.protocol);
    SSL_CTX_set_max_proto_version(context_.get(), options.protocol);
    SSL_CTX_set_security_level(context_.get(), 0);  // So that old protocols are really offered.
  }
  tls_.reset(SSL_new(context_.get()));
  SSL_set_fd(tls_.get(), socket_);
  SSL_set1_host(tls_.get(), "localhost");
  is_open_ = socket_ >= 0 && SSL_connect(tls_.get()) == 1;
}

TlsPeer::~TlsPeer() {
  if (socket_ >= 0) close(socket_);
}

bool TlsPeer::Send(std::string_view text) {
  return SSL_write(tls_.get(), text.data(), static_cast<int>(text.size())) ==
         static_cast<int>(text.size());
}

std::string TlsPeer::ReceiveSome(size_t bytes_max) {
  std::vector<char> bytes(bytes_max);
  const int count = SSL_read(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
  return count <= 0 ? "" : std::string(bytes.data(), static_cast<size_t>(count));
}

std::string TlsPeer::ReceiveAll() {
  std::string all;
  for (std::string part = ReceiveSome(); !part.empty(); part = ReceiveSome()) all += part;
  return all;
}

std::string TlsPeer::ReceiveResponse(bool has_body) {
  constexpr std::string_view kLength = "Content-Length: ";
  size_t wanted = std::string::npos;
  while (pending_.size() < wanted) {
    const size_t head_end = pending_.find("\r\n\r\n");
    if (wanted == std::string::npos && head_end != std::string::npos) {
      const size_t length = pending_.find(kLength);
      wanted = head_end + 4;
      if (has_body && length < head_end)
        wanted += std::stoul(pending_.substr(length + kLength.size()));
      continue;
    }
    const std::string part = ReceiveSome();
    if (part.empty()) break;
    pending_ += part;
  }
  wanted = std::min(wanted, pending_.size());
  const std::string response = pending_.substr(0, wanted);
  pending_.erase(0, wanted);
  return response;
}

}  // namespace ota::server
