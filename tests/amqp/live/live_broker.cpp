#include "live_broker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>

#include "amqp/session.h"
#include "core/error.h"
#include "tests/certificates.h"

namespace brokerlab::amqp {
namespace {

constexpr Nanoseconds kBootLimit = 150 * kNanosecondsPerSecond;  // 10 s alone, far more beside a build

// Below 32768, where the kernel hands out no client ports: else a probe could connect to itself.
std::uint16_t free_port() {
  static int next = 12000 + static_cast<int>(getpid() * 37 % 17000);
  for (int tries = 0; tries < 1000; ++tries) {
    next = next >= 31000 ? 12000 : next + 1;
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(next));
    const bool free = bind(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    if (free) return static_cast<std::uint16_t>(next);
  }
  throw std::runtime_error("no free port");
}

pid_t spawn(const std::filesystem::path& log, const std::function<void()>& become) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  const int null = open("/dev/null", O_RDONLY);
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(null, 0);
  dup2(out, 1);
  dup2(out, 2);
  become();
  _exit(127);
}

void end(pid_t child, int signal) {
  if (child <= 0) return;
  kill(child, signal);
  waitpid(child, nullptr, 0);
}

}  // namespace

LiveBroker& LiveBroker::instance() {
  static LiveBroker broker;
  return broker;
}

LiveBroker::LiveBroker()
    : directory_(std::filesystem::current_path() / fmt::format("amqp_live_{}", getpid())),
      port_(free_port()),
      tls_port_(free_port()),
      epmd_port_(free_port()),
      distribution_port_(free_port()) {
  for (const char* folder : {"home", "mnesia", "log", "etc", "tls"}) {
    std::filesystem::create_directories(directory_ / folder);
  }
  make_certificates(directory_ / "tls");
  write_configuration();
  set_environment();
  start_epmd();
  start_node();
  wait_until_ready();
}

LiveBroker::~LiveBroker() {
  end(node_, SIGKILL);  // nothing in it is worth a shutdown
  end(epmd_, SIGTERM);
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void LiveBroker::write_configuration() const {
  const auto tls = (directory_ / "tls").string();
  std::ofstream(directory_ / "etc" / "rabbitmq.conf")
      << "vm_memory_high_watermark.absolute = 512MB\ndisk_free_limit.absolute = 50MB\n"
      << fmt::format("listeners.ssl.default = 127.0.0.1:{}\n", tls_port_)
      << fmt::format("ssl_options.cacertfile = {0}/ca.pem\nssl_options.certfile = {0}/server.pem\n", tls)
      << fmt::format("ssl_options.keyfile = {}/server.key\n", tls)
      << "ssl_options.verify = verify_peer\nssl_options.fail_if_no_peer_cert = false\n"
      << "auth_mechanisms.1 = PLAIN\nauth_mechanisms.2 = EXTERNAL\nssl_cert_login_from = common_name\n";
  std::ofstream(directory_ / "etc" / "enabled_plugins") << "[rabbitmq_auth_mechanism_ssl].\n";
  const auto cookie = directory_ / "home" / ".erlang.cookie";
  std::ofstream(cookie) << "AMQPLIVETESTCOOKIE";
  std::filesystem::permissions(cookie, std::filesystem::perms::owner_read);
}

// For every child of this program, rabbitmqctl included.
void LiveBroker::set_environment() const {
  const auto set = [](const char* name, const std::string& value) { setenv(name, value.c_str(), 1); };
  const auto base = directory_.string();
  set("HOME", base + "/home");
  set("ERL_EPMD_PORT", std::to_string(epmd_port_));
  set("ERL_EPMD_ADDRESS", "127.0.0.1");
  set("RABBITMQ_NODENAME", fmt::format("amqp{}@localhost", port_));
  set("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1");
  set("RABBITMQ_NODE_PORT", std::to_string(port_));
  set("RABBITMQ_DIST_PORT", std::to_string(distribution_port_));
  set("RABBITMQ_MNESIA_BASE", base + "/mnesia");
  set("RABBITMQ_LOG_BASE", base + "/log");
  set("RABBITMQ_PID_FILE", base + "/pid");
  set("RABBITMQ_CONF_ENV_FILE", "/dev/null");
  set("RABBITMQ_CONFIG_FILE", base + "/etc/rabbitmq");
  set("RABBITMQ_ADVANCED_CONFIG_FILE", base + "/etc/advanced");
  set("RABBITMQ_ENABLED_PLUGINS_FILE", base + "/etc/enabled_plugins");
  set("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1");
  set("RUNNING_UNDER_SYSTEMD", "true");  // the script execs, so the child's pid is the node's
}

void LiveBroker::start_epmd() {
  epmd_ = spawn(directory_ / "log" / "epmd.txt", [this] {
    const auto port = std::to_string(epmd_port_);
    execlp("epmd", "epmd", "-address", "127.0.0.1", "-port", port.c_str(), nullptr);
  });
}

void LiveBroker::start_node() {
  node_ = spawn(directory_ / "log" / "boot.txt",
                [] { execl("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server", nullptr); });
}

void LiveBroker::wait_until_ready() const {
  const MonotonicClock clock{};
  const Nanoseconds limit = clock.now() + kBootLimit;
  std::string last;
  while (clock.now() < limit) {
    if (waitpid(node_, nullptr, WNOHANG) == node_) throw std::runtime_error("the node died while booting");
    try {
      Session session(uri());
      return;
    } catch (const Error& error) {
      last = error.what();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  throw std::runtime_error("the node did not boot: " + last);
}

Uri LiveBroker::uri() const {
  Uri uri;
  uri.port = port_;
  return uri;
}

Uri LiveBroker::tls_uri(const std::string& host) const {
  Uri uri;
  uri.tls = true;
  uri.host = host;
  uri.port = tls_port_;
  return uri;
}

TlsOptions LiveBroker::trusted() const {
  TlsOptions options;
  options.ca_file = directory_ / "tls" / "ca.pem";
  return options;
}

TlsOptions LiveBroker::with_certificate(const std::string& name) const {
  auto options = trusted();
  options.certificate_file = directory_ / "tls" / (name + ".pem");
  options.key_file = directory_ / "tls" / (name + ".key");
  return options;
}

std::string LiveBroker::foreign_ca() const { return directory_ / "tls" / "foreign.pem"; }

std::string LiveBroker::control(const std::string& arguments) const {
  const std::string command = "/usr/lib/rabbitmq/bin/rabbitmqctl -q " + arguments + " 2>&1";
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  std::string text;
  char part[256];
  while (fgets(part, sizeof part, pipe.get()) != nullptr) text += part;
  EXPECT_EQ(pclose(pipe.release()), 0) << command << "\n" << text;
  return text;
}

void LiveBroker::pause() const { kill(node_, SIGSTOP); }
void LiveBroker::resume() const { kill(node_, SIGCONT); }

}  // namespace brokerlab::amqp
