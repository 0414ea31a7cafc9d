// standin: an API server of the size of one join, with every fault that a join may meet; independent of the program
// that it tests.
//
// It speaks HTTP/2 and HTTP/1.1 over TLS on 127.0.0.1 (and ::1), plain HTTP for the kubelet's healthz, and gRPC for a
// container runtime's socket. It makes its CA, certificates and token at each start. One line of JSON on stdout says
// that it is ready; STATE/access.log has a line for each request (status 0: left without an answer):
//   conn=NUMBER PROTOCOL tls=new|resumed agent=PROGRAM user=NAME STATUS METHOD PATH?QUERY
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <stdexcept>

#include <openssl/rand.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cluster.h"
#include "cri.h"
#include "faults.h"
#include "server.h"

namespace kubejoin::standin {
namespace {

constexpr char kUsage[] = R"(usage: standin STATE-FOLDER [flags]
  --release 1.20|1.37      what the cluster looks like (1.37)
  --port PORT              of the API server (any)
  --healthz PORT           of the kubelet's healthz (none); ok once STATE-FOLDER/kubelet-started exists
  --cri SOCKET             a container runtime's socket (none)
  --token ID.SECRET        the bootstrap token (a new one)
  --key ec|rsa             of the CA and the server (ec)
  --name NAME              another name of the server, beside 127.0.0.1, ::1 and localhost; repeatable
  --fault NAME[=ARGUMENT]  repeatable
  --list-faults
)";

struct Options {
  std::string state, release = "1.37", token, cri;
  int port = 0, healthz = 0;
  KeyType key = KeyType::ec;
  std::vector<std::string> names{"127.0.0.1", "localhost", "::1"};
  Behaviour behaviour;
};

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--list-faults") {
      for (const Fault& fault : faults())
        std::printf("%-26s %-34s %s\n", std::string(fault.name).c_str(), std::string(fault.argument).c_str(),
                    std::string(fault.sentence).c_str());
      std::exit(0);
    }
    if (flag.rfind("--", 0) != 0) {
      options.state = flag;
      continue;
    }
    if (i + 1 == argc) throw std::runtime_error(flag + " needs a value\n" + kUsage);
    const std::string value = argv[++i];
    if (flag == "--release")
      options.release = value;
    else if (flag == "--port")
      options.port = std::stoi(value);
    else if (flag == "--healthz")
      options.healthz = std::stoi(value);
    else if (flag == "--cri")
      options.cri = value;
    else if (flag == "--token")
      options.token = value;
    else if (flag == "--key")
      options.key = value == "rsa" ? KeyType::rsa : KeyType::ec;
    else if (flag == "--name")
      options.names.push_back(value);
    else if (flag == "--fault")
      play(options.behaviour, value);
    else
      throw std::runtime_error("unknown flag " + flag + "\n" + kUsage);
  }
  if (options.state.empty()) throw std::runtime_error(kUsage);
  return options;
}

std::string make_token() {
  constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  unsigned char bytes[22];
  RAND_bytes(bytes, sizeof bytes);
  std::string token;
  for (const unsigned char b : bytes) token += std::string(token.size() == 6 ? "." : "") + kAlphabet[b % 36];
  return token;
}

Pair certificate_for(Behaviour::Shown shown, const World& world, const Options& options) {
  using Shown = Behaviour::Shown;
  switch (shown) {
    case Shown::wrong_ca:
      return make_server(world.other_ca, options.names, options.key);
    case Shown::wrong_name:
      return make_server(world.ca, {"api.example.com"}, options.key);
    case Shown::expired:
      return make_server(world.ca, options.names, options.key, {-7200, -3600});
    case Shown::not_yet_valid:
      return make_server(world.ca, options.names, options.key, {3600, 7200});
    case Shown::self_signed:
      return make_ca("kube-apiserver", options.key);
    case Shown::good:
      break;
  }
  return make_server(world.ca, options.names, options.key);
}

void write_file(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

// SIGTERM and SIGINT end the loop in an orderly way, so that a sanitizer can speak.
void stop_on_signal(Loop& loop) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  loop.watch(signalfd(-1, &signals, SFD_CLOEXEC), POLLIN, [&loop](short) { loop.stop(); });
  (void)std::signal(SIGPIPE, SIG_IGN);
}

int run(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  World world;
  world.release = find_release(options.release);
  if (!world.release) throw std::runtime_error("no release " + options.release);
  if (::mkdir(options.state.c_str(), 0755) != 0 && errno != EEXIST)
    throw std::runtime_error("unable to make " + options.state);
  world.state = options.state;
  world.ca = make_ca("kubernetes", options.key);
  world.other_ca = make_ca("kubernetes", options.key);  // the same name: only the key tells them apart
  const std::string token = options.token.empty() ? make_token() : options.token;
  world.token_id = token.substr(0, 6);
  world.token_secret = token.substr(7);
  write_file(world.state + "/ca.crt", world.ca.pem());

  Loop loop;
  stop_on_signal(loop);
  std::ofstream log_file(world.state + "/access.log");
  const auto log = [&](const std::string& line) { log_file << line << std::endl; };
  Cluster cluster(loop, world, options.behaviour, log);

  const auto context_for = [&](Behaviour::Shown shown) {
    return make_tls(certificate_for(shown, world, options), world.ca, options.behaviour.http2);
  };
  SSL_CTX* const first = context_for(options.behaviour.shown);
  SSL_CTX* const later =
      options.behaviour.shown_later == options.behaviour.shown ? first : context_for(options.behaviour.shown_later);
  Listener api{loop,
               [&](auto exchange) { cluster.serve(exchange); },
               log,
               [&](int n) { return n == 1 ? first : later; },
               options.behaviour.reset_first,
               options.behaviour.never_handshake};
  const int port = listen_on_loopback(api, options.port);
  world.endpoint = "127.0.0.1:" + std::to_string(port);
  const auto no_tls = [](int) -> SSL_CTX* { return nullptr; };
  Listener health{loop, [&](auto exchange) { cluster.serve_health(exchange); }, log, no_tls};
  if (options.healthz != 0) world.healthz_port = listen_on_loopback(health, options.healthz);
  Listener runtime{loop, [&](auto exchange) { serve_cri(*exchange, options.behaviour); }, log, no_tls};
  if (!options.cri.empty()) listen_on_unix_socket(runtime, options.cri);

  std::cout
      << fill(
             R"({"endpoint":"$endpoint","token":"$token","pin":"$pin","ca":"$state/ca.crt","log":"$state/access.log","pid":)",
             {{"endpoint", world.endpoint},
              {"token", world.token()},
              {"pin", pin_of(world.ca.certificate.get())},
              {"state", world.state}})
      << getpid() << "}" << std::endl;
  loop.run();
  if (later != first) SSL_CTX_free(later);
  SSL_CTX_free(first);
  return 0;
}

}  // namespace
}  // namespace kubejoin::standin

int main(int argc, char** argv) {
  try {
    return kubejoin::standin::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "standin: " << e.what() << "\n";
    return 64;
  }
}
