#include "broker/lease.h"

#include <unistd.h>

#include <algorithm>
#include <random>
#include <utility>

#include "amqp/session.h"
#include "amqp/uri.h"
#include "broker/journal.h"
#include "core/error.h"

namespace brokerlab {
namespace {

constexpr char kOwnershipTag[] = "brokerlab";

std::string random_password() {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device entropy;
  std::uniform_int_distribution<int> any(0, 35);
  std::string word;
  while (word.size() < 24) word += kLetters[any(entropy)];
  return word;
}

// Proves that somebody speaks AMQP there and lets us in, and asks for the version.
std::string login(const std::string& uri, bool tls_insecure) {
  amqp::TlsOptions tls;
  tls.insecure = tls_insecure;
  return amqp::Session(amqp::Uri::parse(uri), tls).server_version();
}

Json describe(const char* kind, const std::string& display_uri, const std::string& version,
              Management* management, std::size_t nodes) {
  Json json = {{"kind", kind}, {"uri", display_uri}, {"rabbitmq", version}};
  if (management == nullptr) return json;
  try {
    json["erlang"] = management->versions().erlang;
    json["plugins"] = management->enabled_plugins();
    json["management"] = management->uri();
  } catch (const Error&) {
    // Not every user may see these; what is absent was not told.
  }
  if (nodes > 0) json["nodes"] = nodes;
  return json;
}

// The whole of a private broker is ours: its "/" vhost serves all runs.
class PrivateLease final : public Lease {
 public:
  PrivateLease(const LeaseRequest& request, const Clock& clock, const BrokerProgress& progress)
      : broker_(PrivateBroker::start(request.private_broker, clock, progress)),
        uri_(broker_->uri()),
        display_(amqp::Uri::parse(uri_).safe()),
        management_(broker_->management_uri(), broker_->user(), broker_->password()) {}
  ~PrivateLease() override = default;  // the broker ends with its object

  Kind kind() const override { return Kind::kPrivateBroker; }
  const std::string& uri() const override { return uri_; }
  const std::string& prefix() const override { return prefix_; }
  const std::string& display_uri() const override { return display_; }
  Json environment() override {
    return describe("private", display_, login(uri_, false), &management_, broker_->nodes().size());
  }
  PrivateBroker* private_broker() override { return broker_.get(); }
  Management* management() override { return &management_; }
  void declare(const Topology& topology) override { brokerlab::declare(topology, uri_); }
  void remove(const Topology& topology) override { brokerlab::remove(topology, uri_); }
  void close() override { broker_->stop(); }

 private:
  std::unique_ptr<PrivateBroker> broker_;
  std::string uri_;
  std::string prefix_;
  std::string display_;
  Management management_;
};

// What two kinds of lease on somebody else's broker share.
class ExternalLease : public Lease {
 public:
  ExternalLease(const LeaseRequest& request, std::string version, std::unique_ptr<Management> management)
      : version_(std::move(version)), management_(std::move(management)) {
    options_.tls_insecure = request.tls_insecure;
    record_.run_id = request.run_id;
    record_.broker = amqp::Uri::parse(*request.uri).safe();
    if (management_) record_.management_uri = management_->uri();
    record_.controller = ProcessIdentity::of(::getpid()).value_or(ProcessIdentity{});
  }

  const std::string& uri() const override { return uri_; }
  const std::string& display_uri() const override { return display_; }
  Json environment() override { return describe("external", display_, version_, management_.get(), 0); }
  PrivateBroker* private_broker() override { return nullptr; }
  Management* management() override { return management_.get(); }

 protected:
  void use(std::string uri) {
    uri_ = std::move(uri);
    display_ = amqp::Uri::parse(uri_).safe();
  }

  std::string uri_, display_, version_;
  std::unique_ptr<Management> management_;
  DeclarationOptions options_;
  LeaseRecord record_;
  bool closed_ = false;
};

class VhostLease final : public ExternalLease {
 public:
  VhostLease(const LeaseRequest& request, std::string version, std::unique_ptr<Management> management)
      : ExternalLease(request, std::move(version), std::move(management)) {
    const std::string name = "lab-" + request.run_id;
    record_.vhost = name;
    record_.user = name;
    Journal::write(record_);
    amqp::Uri uri = amqp::Uri::parse(*request.uri);
    uri.vhost = name;
    uri.user = name;
    uri.password = random_password();
    management_->create_vhost({name, "made by brokerlab for run " + request.run_id, {kOwnershipTag}});
    management_->create_user(name, uri.password, {});
    management_->permit(name, name, ".*", ".*", ".*");
    use(uri.full());
  }
  ~VhostLease() override {
    try {
      close();
    } catch (const Error&) {
      // The journal still names what is left; `brokerlab cleanup` removes it.
    }
  }

  Kind kind() const override { return Kind::kOwnVhost; }
  const std::string& prefix() const override { return prefix_; }
  void declare(const Topology& topology) override { brokerlab::declare(topology, uri_, options_); }
  void remove(const Topology& topology) override { brokerlab::remove(topology, uri_, options_); }
  void close() override {
    if (closed_) return;
    closed_ = true;
    const std::optional<Management::Vhost> vhost = management_->vhost(record_.vhost);
    if (vhost && std::find(vhost->tags.begin(), vhost->tags.end(), kOwnershipTag) == vhost->tags.end()) {
      throw Error("the vhost " + record_.vhost + " no longer has our tag and was left alone", display_,
                  "delete it by hand if it is not needed");
    }
    management_->delete_vhost(record_.vhost);
    management_->delete_user(record_.user);
    Journal::remove_lease(record_.run_id);
  }

 private:
  std::string prefix_;
};

class PrefixLease final : public ExternalLease {
 public:
  PrefixLease(const LeaseRequest& request, std::string version, std::unique_ptr<Management> management)
      : ExternalLease(request, std::move(version), std::move(management)),
        prefix_("lab-" + request.run_id + ".") {
    use(*request.uri);
    options_.before_create = [this](const std::string& kind, const std::string& name) {
      std::vector<std::string>& names = kind == "queue" ? record_.queues : record_.exchanges;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      Journal::write(record_);
    };
  }
  ~PrefixLease() override {
    try {
      close();
    } catch (const Error&) {
      // The journal still names what is left; `brokerlab cleanup` removes it.
    }
  }

  Kind kind() const override { return Kind::kPrefix; }
  const std::string& prefix() const override { return prefix_; }
  void declare(const Topology& topology) override {
    brokerlab::declare(topology.with_prefix(prefix_), uri_, options_);
  }
  void remove(const Topology& topology) override {
    brokerlab::remove(topology.with_prefix(prefix_), uri_, options_);
  }
  void close() override {
    if (closed_) return;
    closed_ = true;
    remove_named(record_.queues, record_.exchanges, uri_, options_);
    Journal::remove_lease(record_.run_id);
  }

 private:
  std::string prefix_;
};

std::unique_ptr<Management> management_of(const LeaseRequest& request) {
  if (!request.management_uri) return Management::from_amqp(*request.uri, request.tls_insecure);
  const amqp::Uri uri = amqp::Uri::parse(*request.uri);
  return std::make_unique<Management>(*request.management_uri, uri.user, uri.password,
                                      5 * kNanosecondsPerSecond, request.tls_insecure);
}

// Making vhosts and users takes an administrator.
bool may_make_vhosts(Management& management) {
  try {
    return management.reachable() && management.whoami().administrator();
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::unique_ptr<Lease> Lease::open(const LeaseRequest& request, const Clock& clock,
                                   const BrokerProgress& progress) {
  if (!request.uri) return std::make_unique<PrivateLease>(request, clock, progress);
  std::string version = login(*request.uri, request.tls_insecure);
  std::unique_ptr<Management> management = management_of(request);
  const bool administrator = may_make_vhosts(*management);
  if (administrator && !request.predeclared_objects) {
    return std::make_unique<VhostLease>(request, std::move(version), std::move(management));
  }
  if (!administrator) management.reset();
  return std::make_unique<PrefixLease>(request, std::move(version), std::move(management));
}

}  // namespace brokerlab
