#include "broker/lease.h"

#include <unistd.h>

#include <algorithm>
#include <random>
#include <set>

#include "amqp/session.h"
#include "amqp/uri.h"
#include "broker/journal.h"
#include "broker/lease_end.h"
#include "core/error.h"

namespace brokerlab {
namespace {

// The nodes of a broker, separated by commas. The first one is asked; the others are where processes connect,
// too.
std::vector<std::string> split_uris(const std::string& list) {
  std::vector<std::string> uris;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t comma = std::min(list.find(",amqp", from), list.size());
    uris.push_back(list.substr(from, comma - from));
    from = comma + 1;
  }
  return uris;
}

std::string random_password() {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device entropy;
  std::uniform_int_distribution<int> any(0, 35);
  std::string word;
  while (word.size() < 24) word += kLetters[any(entropy)];
  return word;
}

std::unique_ptr<Management> management_of(const LeaseRequest& request, const amqp::Uri& uri) {
  std::unique_ptr<Management> management =
      request.management_uri ? std::make_unique<Management>(*request.management_uri, uri.user, uri.password,
                                                            5 * kNanosecondsPerSecond, request.tls_insecure)
                             : Management::from_amqp(*request.uri, request.tls_insecure);
  return management->reachable() ? std::move(management) : nullptr;
}

// What the management API tells about the broker, as far as this user may ask.
Json described(Management* management, const std::string& version) {
  Json broker{{"rabbitmq", version}, {"management", management != nullptr}};
  if (!management) return broker;
  try {
    const Management::Versions versions = management->versions();
    broker["erlang"] = versions.erlang;
    const std::vector<std::string> plugins = management->enabled_plugins();
    if (!plugins.empty()) broker["plugins"] = plugins;
    broker["nodes"] = management->nodes();
  } catch (const Error&) {
    // A user without the monitoring tag may not ask for all of it: then it is absent.
  }
  return broker;
}

class OpenLease : public Lease {
 public:
  const std::string& uri() const override { return uri_; }
  const std::string& prefix() const override { return prefix_; }
  const std::string& display_uri() const override { return display_; }
  Management* management() override { return management_.get(); }
  PrivateBroker* private_broker() override { return nullptr; }

  Json environment() override {
    Json all{{"kind", word()}, {"uri", display_}};
    all.update(described(management_.get(), version_));
    return all;
  }

  using Lease::declare;
  void declare(const Topology& topology, const Progress& on_progress) override {
    const Topology named = topology.with_prefix(prefix_);
    note(named);
    brokerlab::declare(named, uri_, telling(Step::kDeclare, on_progress));
  }

  using Lease::remove;
  void remove(const Topology& topology, const Progress& on_progress) override {
    brokerlab::remove(topology.with_prefix(prefix_), uri_, telling(Step::kRemove, on_progress));
  }

 protected:
  virtual const char* word() const = 0;
  // Called before anything of it is created.
  virtual void note(const Topology&) {}

 public:
  void add_nodes(const std::vector<std::string>& uris) {
    for (const std::string& text : uris) {
      amqp::Uri node = amqp::Uri::parse(text);
      const amqp::Uri first = amqp::Uri::parse(uri_);
      node.user = first.user;
      node.password = first.password;
      node.external = first.external;
      node.vhost = first.vhost;
      nodes_.push_back(node.full());
    }
  }
  std::vector<std::string> uris() const override {
    std::vector<std::string> all = {uri_};
    all.insert(all.end(), nodes_.begin(), nodes_.end());
    return all;
  }

 protected:
  // Throws Error when the login is refused or nobody answers.
  void use(const std::string& uri) {
    const amqp::Uri parsed = amqp::Uri::parse(uri);
    uri_ = parsed.full();
    display_ = parsed.safe();
    amqp::TlsOptions tls;
    tls.insecure = tls_insecure_;
    version_ = amqp::Session(parsed, tls).server_version();
  }

  std::string uri_, prefix_, display_, version_;
  std::vector<std::string> nodes_;  // besides uri_
  bool tls_insecure_ = false;
  std::unique_ptr<Management> management_;

 private:
  DeclarationOptions telling(Step step, const Progress& on_progress) const {
    DeclarationOptions options;
    options.tls_insecure = tls_insecure_;
    if (on_progress) {
      options.on_progress = [step, on_progress](std::size_t done, std::size_t of) {
        on_progress(step, done, of);
      };
    }
    return options;
  }
};

class PrivateLease final : public OpenLease {
 public:
  PrivateLease(const LeaseRequest& request, const Clock& clock, const BrokerProgress& progress)
      : broker_(PrivateBroker::start(request.private_broker, clock, progress)) {
    use(broker_->uri());
    management_ =
        std::make_unique<Management>(broker_->management_uri(), broker_->user(), broker_->password());
  }
  Kind kind() const override { return Kind::kPrivateBroker; }
  PrivateBroker* private_broker() override { return broker_.get(); }
  std::vector<std::string> uris() const override {
    std::vector<std::string> all;
    for (std::size_t node = 0; node < broker_->nodes().size(); ++node) all.push_back(broker_->uri(node));
    return all;
  }
  using OpenLease::declare, OpenLease::remove;
  void declare(const Topology& topology, const Progress& on_progress) override {
    if (declared_) OpenLease::remove(*declared_, on_progress);
    declared_ = topology;
    OpenLease::declare(topology, on_progress);
  }
  void remove(const Topology&, const Progress&) override {}  // before the next one, or with the broker
  void close() override {
    if (broker_) broker_->stop();
  }

 private:
  const char* word() const override { return "private"; }
  // The API does not know these in a node's first seconds; we do.
  Json environment() override {
    Json all = OpenLease::environment();
    all["plugins"] = broker_->plugins();
    all["nodes"] = broker_->nodes().size();
    return all;
  }

  std::unique_ptr<PrivateBroker> broker_;
  std::optional<Topology> declared_;
};

class VhostLease final : public OpenLease {
 public:
  VhostLease(const LeaseRequest& request, std::unique_ptr<Management> management, LeaseRecord record)
      : record_(std::move(record)) {
    tls_insecure_ = request.tls_insecure;
    management_ = std::move(management);
    record_.vhost = record_.user = "lab-" + record_.run_id;
    if (management_->vhost(record_.vhost) || management_->user(record_.user)) {
      throw Error("a vhost or user named " + record_.vhost + " exists already", record_.broker,
                  "it is not ours to touch: use another run id, or delete it yourself");
    }
    Journal::write(record_);
    try {
      make(amqp::Uri::parse(*request.uri));
    } catch (const Error&) {
      end_quietly();
      throw;
    }
  }
  ~VhostLease() override { end_quietly(); }
  Kind kind() const override { return Kind::kOwnVhost; }

  void close() override {
    if (closed_) return;
    end_vhost_lease(record_, *management_);
    closed_ = true;
    Journal::remove_lease(record_.run_id);
  }

 private:
  void make(amqp::Uri uri) {
    management_->create_vhost(ownership_of(record_));
    uri.user = record_.user;
    uri.password = random_password();
    uri.external = false;  // a certificate is somebody else's
    uri.vhost = record_.vhost;
    management_->create_user(uri.user, uri.password, ownership_of(record_).tags);
    management_->permit(uri.user, uri.vhost, ".*", ".*", ".*");
    use(uri.full());
  }

  void end_quietly() {
    try {
      close();
    } catch (const std::exception&) {
      // The journal entry stays: `brokerlab cleanup --broker` tries again.
    }
  }

  const char* word() const override { return "own_vhost"; }

  LeaseRecord record_;
  bool closed_ = false;
};

class PrefixLease final : public OpenLease {
 public:
  PrefixLease(const LeaseRequest& request, std::unique_ptr<Management> management, LeaseRecord record)
      : record_(std::move(record)) {
    tls_insecure_ = request.tls_insecure;
    management_ = std::move(management);
    prefix_ = "lab-" + record_.run_id + ".";
    use(*request.uri);
  }
  ~PrefixLease() override {
    try {
      close();
    } catch (const std::exception&) {
      // The journal entry stays: `brokerlab cleanup --broker` tries again.
    }
  }
  Kind kind() const override { return Kind::kPrefix; }

  void close() override {
    if (closed_) return;
    end_prefix_lease(record_, uri_, tls_insecure_);
    closed_ = true;
    Journal::remove_lease(record_.run_id);
  }

 private:
  void note(const Topology& topology) override {
    for (const Exchange& exchange : topology.exchanges) {
      if (!exchange.predeclared) add(record_.exchanges, exchange.name);
    }
    for (const Queue& queue : topology.queues) {
      if (!queue.predeclared) add(record_.queues, queue.name);
    }
    Journal::write(record_);
  }
  void add(std::vector<std::string>& list, const std::string& name) {
    const char* kind = &list == &record_.queues ? "queue " : "exchange ";
    if (known_.insert(kind + name).second) list.push_back(name);
  }

  const char* word() const override { return "prefix"; }

  LeaseRecord record_;
  std::set<std::string> known_;
  bool closed_ = false;
};

bool may_make_vhosts(Management* management) {
  try {
    return management && management->whoami().administrator();
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::unique_ptr<Lease> Lease::open(const LeaseRequest& asked, const Clock& clock,
                                   const BrokerProgress& progress) {
  if (!asked.uri) return std::make_unique<PrivateLease>(asked, clock, progress);
  LeaseRequest request = asked;
  std::vector<std::string> nodes = split_uris(*asked.uri);
  request.uri = nodes.front();
  nodes.erase(nodes.begin());
  for (const std::string& node : nodes) amqp::Uri::parse(node);  // told before anything is made
  const Nanoseconds start = clock.now();
  const auto tell = [&](const std::string& stage) {
    if (progress) progress(stage, clock.now() - start);
  };
  const amqp::Uri uri = amqp::Uri::parse(*request.uri);
  tell("connecting to " + uri.safe());
  amqp::TlsOptions tls;
  tls.insecure = request.tls_insecure;
  const amqp::Session login(uri, tls);  // a wrong address or password is told before anything is made
  std::unique_ptr<Management> management = management_of(request, uri);
  LeaseRecord record;
  record.run_id = request.run_id;
  record.broker = uri.safe();
  record.management_uri = management ? management->uri() : "";
  record.controller = ProcessIdentity::of(::getpid()).value_or(ProcessIdentity{});
  if (!request.predeclared_objects && may_make_vhosts(management.get())) {
    tell("making a vhost for this run");
    auto lease = std::make_unique<VhostLease>(request, std::move(management), std::move(record));
    lease->add_nodes(nodes);
    return lease;
  }
  auto lease = std::make_unique<PrefixLease>(request, std::move(management), std::move(record));
  lease->add_nodes(nodes);
  return lease;
}

}  // namespace brokerlab
