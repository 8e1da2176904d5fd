#include "broker/management.h"

#include <httplib.h>

#include <algorithm>
#include <set>

#include "amqp/uri.h"
#include "core/error.h"

namespace brokerlab {
namespace {

constexpr Nanoseconds kMicrosecond = 1'000;

// Percent-encodes everything but letters, digits and "-_.~": one segment of a path.
std::string segment(const std::string& text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '~') {
      encoded += static_cast<char>(c);
    } else {
      encoded += '%';
      encoded += kHex[c >> 4];
      encoded += kHex[c & 15];
    }
  }
  return encoded;
}

// Tags are a list since RabbitMQ 3.9, and a text with commas before.
std::vector<std::string> tags_of(const Json& object) {
  std::vector<std::string> tags;
  if (!object.contains("tags")) return tags;
  const Json& value = object.at("tags");
  if (value.is_array()) {
    for (const Json& tag : value) tags.push_back(tag.get<std::string>());
  } else if (value.is_string()) {
    std::stringstream text(value.get<std::string>());
    for (std::string tag; std::getline(text, tag, ',');) {
      if (!tag.empty()) tags.push_back(tag);
    }
  }
  return tags;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

Management::Vhost vhost_from(const Json& value) {
  Management::Vhost vhost;
  vhost.name = value.value("name", "");
  const auto description = value.find("description");
  if (description != value.end() && description->is_string())
    vhost.description = description->get<std::string>();
  vhost.tags = tags_of(value);
  return vhost;
}

struct Address {
  std::string uri, user, password;
};

// Takes user:password@ out of http://user:password@host:port.
Address address_of(const std::string& uri, const std::string& user, const std::string& password) {
  Address address{uri, user, password};
  const auto scheme = uri.find("://");
  if (scheme == std::string::npos || (!uri.starts_with("http://") && !uri.starts_with("https://"))) {
    throw Error("the address of the management API is not http:// or https://", "",
                "e.g. http://127.0.0.1:15672", ExitStatus::kUsage);
  }
  const auto at = uri.rfind('@');
  if (at != std::string::npos) {
    // The same rules of encoding as in an AMQP URI.
    amqp::Uri login = amqp::Uri::parse("amqp://" + uri.substr(scheme + 3, at - scheme - 3) + "@host");
    address = {uri.substr(0, scheme + 3) + uri.substr(at + 1), login.user, login.password};
  }
  while (address.uri.ends_with('/')) address.uri.pop_back();
  return address;
}

}  // namespace

class Management::Impl {
 public:
  Impl(const Address& address, Nanoseconds timeout, bool tls_insecure)
      : uri_(address.uri), address_(address), tls_insecure_(tls_insecure), client_(address.uri) {
    client_.set_basic_auth(address.user, address.password);
    const std::chrono::microseconds limit(timeout / kMicrosecond);
    client_.set_connection_timeout(limit);
    client_.set_read_timeout(limit);
    client_.set_write_timeout(limit);
    client_.enable_server_certificate_verification(!tls_insecure);
    client_.set_default_headers({{"Accept", "application/json"}});
  }

  // The answer's JSON; nothing for 404.
  std::optional<Json> get(const std::string& path) {
    const httplib::Result answer = client_.Get(path);
    check(answer, path);
    if (answer->status == 404) return {};
    Json value = Json::parse(answer->body, nullptr, false);
    if (value.is_discarded()) {
      throw Error("the management API answers with something that is no JSON", uri_ + path,
                  "check that RabbitMQ's management plugin listens at this address");
    }
    return value;
  }

  Json need(const std::string& path) {
    if (auto value = get(path)) return std::move(*value);
    throw Error("the management API knows nothing of this", uri_ + path,
                "check the address and the broker's version");
  }

  void put(const std::string& path, const Json& body) {
    const httplib::Result answer = client_.Put(path, body.dump(), "application/json");
    check(answer, path);
    if (answer->status == 404) throw Error("the management API found nothing to change", uri_ + path, "");
  }

  void remove(const std::string& path, const httplib::Headers& headers = {}) {
    check(client_.Delete(path, headers), path);
  }

  bool answers() {
    const httplib::Result answer = client_.Get("/api/overview");
    return answer && (answer->status == 200 || answer->status == 401 || answer->status == 403);
  }

  const std::string uri_;
  const Address address_;
  const bool tls_insecure_;

 private:
  void check(const httplib::Result& answer, const std::string& path) const {
    if (!answer) {
      throw Error(
          "the management API cannot be reached (" + httplib::to_string(answer.error()) + ")", uri_,
          "see whether the broker runs and has the plugin: rabbitmq-plugins enable rabbitmq_management");
    }
    if (answer->status == 401) {
      throw Error(
          "the management API refuses the login", uri_,
          "check user and password, and that the user has a tag (rabbitmqctl set_user_tags USER management)");
    }
    if (answer->status == 403) {
      throw Error("the user has no right to do this by the management API", uri_ + path,
                  "rabbitmqctl set_user_tags USER administrator");
    }
    if (answer->status >= 400 && answer->status != 404) {
      throw Error("the management API answers " + std::to_string(answer->status), uri_ + path,
                  answer->body.substr(0, 300));
    }
  }

  httplib::Client client_;
};

bool Management::User::administrator() const {
  return std::find(tags.begin(), tags.end(), "administrator") != tags.end();
}

Management::Management(const std::string& uri, const std::string& user, const std::string& password,
                       Nanoseconds timeout, bool tls_insecure)
    : impl_(std::make_unique<Impl>(address_of(uri, user, password), timeout, tls_insecure)) {}
Management::~Management() = default;

std::unique_ptr<Management> Management::from_amqp(const std::string& amqp_uri, bool tls_insecure) {
  const amqp::Uri uri = amqp::Uri::parse(amqp_uri);
  const std::string host = uri.host.find(':') == std::string::npos ? uri.host : "[" + uri.host + "]";
  return std::make_unique<Management>(uri.tls ? "https://" + host + ":15671" : "http://" + host + ":15672",
                                      uri.user, uri.password, 5 * kNanosecondsPerSecond, tls_insecure);
}

std::unique_ptr<Management> Management::another(Nanoseconds timeout) const {
  const Address& address = impl_->address_;
  return std::make_unique<Management>(address.uri, address.user, address.password, timeout,
                                      impl_->tls_insecure_);
}

const std::string& Management::uri() const { return impl_->uri_; }
bool Management::reachable() { return impl_->answers(); }

Management::User Management::whoami() {
  const Json answer = impl_->need("/api/whoami");
  return {answer.value("name", ""), tags_of(answer)};
}

Json Management::overview() { return impl_->need("/api/overview"); }

Management::Versions Management::versions() {
  const Json answer = overview();
  return {answer.value("rabbitmq_version", ""), answer.value("erlang_version", ""),
          answer.value("management_version", ""), answer.value("cluster_name", "")};
}

std::vector<std::string> Management::enabled_plugins() {
  std::set<std::string> plugins;
  for (const Json& node : impl_->need("/api/nodes")) {
    if (!node.contains("enabled_plugins")) continue;
    for (const Json& plugin : node.at("enabled_plugins")) plugins.insert(plugin.get<std::string>());
  }
  return {plugins.begin(), plugins.end()};
}

std::size_t Management::nodes() { return impl_->need("/api/nodes").size(); }

std::vector<std::string> Management::exchange_types() {
  std::vector<std::string> types;
  const Json answer = overview();
  if (!answer.contains("exchange_types")) return types;
  for (const Json& type : answer.at("exchange_types")) types.push_back(type.at("name").get<std::string>());
  return types;
}

std::optional<Management::Vhost> Management::vhost(const std::string& name) {
  const auto answer = impl_->get("/api/vhosts/" + segment(name));
  if (!answer) return {};
  return vhost_from(*answer);
}

std::vector<Management::Vhost> Management::vhosts() {
  std::vector<Vhost> all;
  for (const Json& value : impl_->need("/api/vhosts")) all.push_back(vhost_from(value));
  return all;
}

void Management::create_vhost(const Vhost& vhost) {
  impl_->put("/api/vhosts/" + segment(vhost.name),
             Json{{"description", vhost.description}, {"tags", joined(vhost.tags)}});
}

void Management::delete_vhost(const std::string& name) { impl_->remove("/api/vhosts/" + segment(name)); }

std::optional<Management::User> Management::user(const std::string& name) {
  const auto answer = impl_->get("/api/users/" + segment(name));
  if (!answer) return {};
  return User{answer->value("name", ""), tags_of(*answer)};
}

void Management::create_user(const std::string& name, const std::string& password,
                             const std::vector<std::string>& tags) {
  impl_->put("/api/users/" + segment(name), Json{{"password", password}, {"tags", joined(tags)}});
}

void Management::permit(const std::string& user, const std::string& vhost, const std::string& configure,
                        const std::string& write, const std::string& read) {
  impl_->put("/api/permissions/" + segment(vhost) + "/" + segment(user),
             Json{{"configure", configure}, {"write", write}, {"read", read}});
}

void Management::delete_user(const std::string& name) { impl_->remove("/api/users/" + segment(name)); }

std::vector<Management::Connection> Management::connections() {
  std::vector<Connection> all;
  for (const Json& value : impl_->need("/api/connections")) {
    Connection connection{value.value("name", ""), value.value("user", ""), value.value("vhost", ""),
                          value.value("state", ""), ""};
    if (value.contains("client_properties") && value.at("client_properties").is_object()) {
      connection.client = value.at("client_properties").value("connection_name", "");
    }
    all.push_back(std::move(connection));
  }
  return all;
}

void Management::close_connection(const std::string& name, const std::string& reason) {
  impl_->remove("/api/connections/" + segment(name), {{"X-Reason", reason}});
}

std::vector<Management::QueueDepth> Management::queue_depths(const std::string& vhost) {
  std::vector<QueueDepth> depths;
  for (const Json& queue : impl_->need("/api/queues/" + segment(vhost))) {
    // The figures are missing until the statistics of a new queue have come in.
    depths.push_back({queue.value("name", ""), queue.value("messages_ready", std::int64_t{0}),
                      queue.value("messages_unacknowledged", std::int64_t{0}),
                      queue.value("consumers", std::int64_t{0})});
  }
  return depths;
}

Json Management::queue_totals(const std::string& vhost) {
  return impl_->need("/api/queues/" + segment(vhost) +
                     "?disable_stats=true&enable_queue_totals=true"
                     "&columns=name,messages_ready,messages_unacknowledged");
}

Json Management::vhost_totals(const std::string& vhost) {
  return impl_->need("/api/vhosts/" + segment(vhost) + "?columns=messages_ready,messages_unacknowledged");
}

Json Management::node_states() {
  return impl_->need(
      "/api/nodes?columns=name,running,processors,mem_used,mem_limit,mem_alarm,disk_free_alarm");
}

Json Management::states_of(const std::string& things, std::size_t most) {
  return impl_->need("/api/" + things + "?page=1&page_size=" + std::to_string(most) + "&columns=state,node");
}

Json Management::bindings(const std::string& vhost) { return impl_->need("/api/bindings/" + segment(vhost)); }

}  // namespace brokerlab
