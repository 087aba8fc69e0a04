// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "server/http/listen_address.h"
#include "server/service.h"

namespace ota::cli {

namespace {

sigset_t ServerSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  return signals;
}

// Each connection takes a descriptor or two; the default of 1024 would be the limit otherwise.
void RaiseDescriptorLimit() {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void CheckUse(const server::ServiceOptions& options) {
  if (options.certificate_path.empty() != options.key_path.empty()) {
    throw CommandError("--cert and --key go together; give both, or none", 2);
  }
  server::Expected<server::ListenAddress> address = server::ParseListenAddress(options.listen);
  if (!address.ok()) throw CommandError(address.error().message, 2);
}

void Serve(const server::ServiceOptions& options) {
  CheckUse(options);
  RaiseDescriptorLimit();
  std::signal(SIGXFSZ, SIG_IGN);  // A write past a quota is an error like a full disk.
  // Blocked before any thread starts, so that only this one takes them.
  const sigset_t signals = ServerSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  server::Expected<std::unique_ptr<server::Service>> started = server::Service::Start(options);
  if (!started.ok()) throw CommandError(started.error().message);
  server::Service& service = **started;
  for (const std::string& notice : service.notices()) {
    std::fprintf(stderr, "ota-tinyml: %s\n", notice.c_str());
  }
  std::printf("listening on %s\n", service.url().c_str());
  std::fflush(stdout);

  for (int signal = 0; sigwait(&signals, &signal) == 0 && signal == SIGHUP;) {
    const server::Failure failure = service.Reload();
    if (failure) std::fprintf(stderr, "ota-tinyml: reload: %s\n", failure->message.c_str());
  }
  std::fprintf(stderr, "ota-tinyml: stopping; a second signal ends at once\n");
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  service.Stop();
}

}  // namespace

void AddServeCommand(CLI::App& app) {
  auto options = std::make_shared<server::ServiceOptions>();
  CLI::App* command = app.add_subcommand("serve", "Serve the models of a directory over HTTPS");
  command->add_option("--data", options->data_directory, "Data directory; models lie in DIR/models")
      ->required()
      ->type_name("DIR");
  command->add_option("--listen", options->listen, "Address and port; port 0 takes any free one")
      ->capture_default_str()
      ->type_name("HOST:PORT");
  command->add_option("--cert", options->certificate_path, "Server certificate and chain, PEM")
      ->type_name("FILE");
  command->add_option("--key", options->key_path, "Its private key, PEM")->type_name("FILE");
  command
      ->add_option("--host-name", options->host_names,
                   "One more name or address for the development certificate; may be repeated")
      ->type_name("HOST");
  command
      ->add_option("--access-log", options->access_log_path, "Where requests are logged [stderr]")
      ->type_name("FILE");
  command->add_option("--port-file", options->port_path, "Write the port here once it serves")
      ->type_name("FILE");
  command
      ->add_option("--connections", options->limits.connections_max,
                   "Most connections at once; one address may hold half of them")
      ->capture_default_str()
      ->check(CLI::Range(2, 100'000));
  command->footer(
      "SIGTERM and SIGINT stop it once requests in flight are done; SIGHUP opens the\n"
      "access log and the certificate anew. The API is described in docs/server.md.");
  command->callback([options] { Serve(*options); });
}

}  // namespace ota::cli
