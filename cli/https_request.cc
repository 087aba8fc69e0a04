// SPDX-License-Identifier: Apache-2.0
#include "cli/https_request.h"

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"

namespace ota::cli {

namespace {

constexpr long kWaitSeconds = 30;
constexpr size_t kPartBytes = 16 * 1024;

struct ServerAddress {
  std::string host;
  std::string port = "443";
};

ServerAddress ParseServer(const std::string& url) {
  constexpr std::string_view kScheme = "https://";
  std::string_view rest = url;
  const CommandError error("\"" + url + "\" is no server; give https://HOST:PORT", 2);
  if (!rest.starts_with(kScheme)) throw error;
  rest.remove_prefix(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  ServerAddress address;
  size_t host_end = rest.find(':');
  if (rest.starts_with('[')) {
    const size_t bracket = rest.find(']');
    if (bracket == std::string_view::npos) throw error;
    address.host = rest.substr(1, bracket - 1);
    host_end = bracket + 1;
  } else {
    address.host = rest.substr(0, host_end);
  }
  if (host_end < rest.size() && rest[host_end] == ':') address.port = rest.substr(host_end + 1);
  const bool is_port = !address.port.empty() && address.port.size() <= 5 &&
                       address.port.find_first_not_of("0123456789") == std::string::npos;
  if (address.host.empty() || address.host.find('/') != std::string::npos || !is_port) throw error;
  return address;
}

class TlsConnection {
 public:
  TlsConnection(const HttpsRequest& request, const ServerAddress& address)
      : server_(request.server), context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (SSL_CTX_load_verify_locations(context_.get(), request.ca_path.c_str(), nullptr) != 1) {
      throw CommandError("cannot read the CA " + request.ca_path +
                         "; give the server's, DIR/tls/ca.pem, with --ca");
    }
    Connect(address);
    tls_.reset(SSL_new(context_.get()));
    SSL_set_fd(tls_.get(), socket_);
    X509_VERIFY_PARAM* const checks = SSL_get0_param(tls_.get());
    if (X509_VERIFY_PARAM_set1_ip_asc(checks, address.host.c_str()) != 1) {
      SSL_set1_host(tls_.get(), address.host.c_str());
      SSL_set_tlsext_host_name(tls_.get(), address.host.c_str());
    }
    if (SSL_connect(tls_.get()) != 1) Fail();
  }
  ~TlsConnection() {
    if (socket_ >= 0) close(socket_);
  }
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  /// False when the server takes no more; it may have answered already.
  bool Send(std::string_view bytes) {
    return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
           static_cast<int>(bytes.size());
  }
  std::string Receive() {
    std::string part(kPartBytes, '\0');
    const int count = SSL_read(tls_.get(), part.data(), static_cast<int>(part.size()));
    part.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return part;
  }

 private:
  struct Free {
    void operator()(SSL* tls) const { SSL_free(tls); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  void Connect(const ServerAddress& address) {
    struct addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    struct addrinfo* found = nullptr;
    if (getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found) != 0) {
      throw CommandError("the name of the server " + server_ + " does not resolve; see --server");
    }
    for (const struct addrinfo* at = found; at != nullptr && socket_ < 0; at = at->ai_next) {
      socket_ = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, at->ai_protocol);
      const struct timeval wait = {kWaitSeconds, 0};
      setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
      setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
      if (connect(socket_, at->ai_addr, at->ai_addrlen) != 0) close(std::exchange(socket_, -1));
    }
    freeaddrinfo(found);
    if (socket_ < 0) {
      throw CommandError("cannot reach the server " + server_ + "; see that it runs, and --server");
    }
  }

  [[noreturn]] void Fail() {
    const long verdict = SSL_get_verify_result(tls_.get());
    if (verdict != X509_V_OK) {
      throw CommandError("the server " + server_ + " is not trusted: " +
                         X509_verify_cert_error_string(verdict) + "; see --ca");
    }
    throw CommandError("TLS with the server " + server_ + " failed");
  }

  const std::string server_;
  std::unique_ptr<SSL_CTX, Free> context_;
  int socket_ = -1;
  std::unique_ptr<SSL, Free> tls_;
};

std::string RequestHead(const HttpsRequest& request, const ServerAddress& address) {
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  std::string head = request.method + " " + request.path +
                     " HTTP/1.1\r\nHost: " + (is_ipv6 ? "[" + address.host + "]" : address.host) +
                     ":" + address.port + "\r\nUser-Agent: ota-tinyml\r\nConnection: close\r\n";
  for (const std::string& header : request.headers) head += header + "\r\n";
  if (!request.body.empty() || request.method != "GET") {
    head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return head + "\r\n";
}

void SendRequest(TlsConnection& connection, const HttpsRequest& request,
                 const ServerAddress& address) {
  if (!connection.Send(RequestHead(request, address))) return;
  for (size_t sent = 0; sent < request.body.size();) {
    const std::string_view part = std::string_view{request.body}.substr(sent, kPartBytes);
    if (!connection.Send(part)) return;  // Refused early; the answer says why.
    sent += part.size();
    if (request.progress) request.progress(sent);
  }
}

// The value of Content-Length in a head; the server of this project sends it always.
size_t ContentLength(std::string head) {
  std::transform(head.begin(), head.end(), head.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  constexpr std::string_view kName = "\r\ncontent-length: ";
  const size_t at = head.find(kName);
  size_t length = 0;
  if (at != std::string::npos) {
    const char* const first = head.data() + at + kName.size();
    if (std::from_chars(first, head.data() + head.size(), length).ec == std::errc()) return length;
  }
  throw CommandError("the server's answer has no length; is this an OTA-TinyML server?");
}

HttpsResponse ReceiveResponse(TlsConnection& connection, const HttpsRequest& request) {
  std::string text;
  size_t head_bytes = 0;
  size_t wanted = SIZE_MAX;
  while (text.size() < wanted) {
    const std::string part = connection.Receive();
    if (part.empty()) throw CommandError("the server " + request.server + " went away; try again");
    text += part;
    if (head_bytes == 0) {
      const size_t head_end = text.find("\r\n\r\n");
      if (head_end != std::string::npos) {
        head_bytes = head_end + 4;
        const size_t length = ContentLength(text.substr(0, head_bytes));
        if (length > request.response_bytes_max) throw CommandError("the answer is too long");
        wanted = head_bytes + length;
      }
    }
    if (head_bytes == 0 && text.size() > kPartBytes) throw CommandError("the answer is no HTTP");
  }
  HttpsResponse response;
  constexpr std::string_view kStart = "HTTP/1.1 ";
  const char* const digits = text.data() + kStart.size();
  if (!text.starts_with(kStart) ||
      std::from_chars(digits, digits + 3, response.status).ec != std::errc()) {
    throw CommandError("the answer of " + request.server + " is no HTTP");
  }
  response.body = text.substr(head_bytes, wanted - head_bytes);
  return response;
}

}  // namespace

HttpsResponse FetchHttps(const HttpsRequest& request) {
  const ServerAddress address = ParseServer(request.server);
  TlsConnection connection(request, address);
  SendRequest(connection, request, address);
  return ReceiveResponse(connection, request);
}

std::string FetchHttpsBody(const HttpsRequest& request) {
  HttpsResponse response = FetchHttps(request);
  if (response.status >= 200 && response.status < 300) return std::move(response.body);
  const auto json = nlohmann::json::parse(response.body, nullptr, false);
  std::string why = "status " + std::to_string(response.status);
  if (json.is_object() && json.contains("error") && json["error"].is_object()) {
    const auto& error = json["error"];
    why = error.value("what", why) + "; " + error.value("do", "");
    if (error.contains("name")) why += " [" + error.value("name", "") + "]";
  }
  throw CommandError("the server refuses " + request.method + " " + request.path + ": " + why);
}

}  // namespace ota::cli
