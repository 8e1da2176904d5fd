#include "broker/management.h"

#define CPPHTTPLIB_OPENSSL_SUPPORT
#include <httplib.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "amqp/uri.h"
#include "core/error.h"

namespace brokerlab {
namespace {

constexpr std::uint16_t kPort = 15672;
constexpr std::uint16_t kTlsPort = 15671;

// Everything but the unreserved characters of RFC 3986: vhosts are called "/" more often than not.
std::string encoded(const std::string& text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      result += c;
    } else {
      result += '%';
      result += kHex[byte >> 4];
      result += kHex[byte & 15];
    }
  }
  return result;
}

// Tags came as one text with commas before RabbitMQ 3.9, as a list since.
std::vector<std::string> tags_from(const Json& value) {
  std::vector<std::string> tags;
  if (value.is_array()) return value.get<std::vector<std::string>>();
  if (!value.is_string()) return tags;
  std::istringstream list(value.get<std::string>());
  for (std::string tag; std::getline(list, tag, ',');) tags.push_back(tag);
  return tags;
}

std::string comma_list(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

Management::Vhost vhost_from(const Json& json) {
  const Json metadata = json.value("metadata", Json::object());
  Management::Vhost vhost;
  vhost.name = json.value("name", "");
  vhost.description = metadata.value("description", json.value("description", ""));
  vhost.tags = tags_from(metadata.contains("tags") ? metadata["tags"] : json.value("tags", Json::array()));
  return vhost;
}

}  // namespace

bool Management::User::administrator() const {
  return std::find(tags.begin(), tags.end(), "administrator") != tags.end();
}

class Management::Impl {
 public:
  Impl(const std::string& uri, const std::string& user, const std::string& password, Nanoseconds timeout,
       bool tls_insecure)
      : uri_(uri), client_(uri) {
    const auto seconds = static_cast<time_t>(timeout / kNanosecondsPerSecond);
    client_.set_connection_timeout(seconds);
    client_.set_read_timeout(seconds);
    client_.set_write_timeout(seconds);
    client_.set_basic_auth(user.c_str(), password.c_str());
    client_.set_keep_alive(true);
    if (tls_insecure) client_.enable_server_certificate_verification(false);
  }

  const std::string& uri() const { return uri_; }

  Json get(const std::string& path) { return body(check(client_.Get(path.c_str()), path), path); }
  std::optional<Json> find(const std::string& path) {
    const httplib::Result result = client_.Get(path.c_str());
    if (result && result->status == 404) return std::nullopt;
    return body(check(result, path), path);
  }
  void put(const std::string& path, const Json& value) {
    check(client_.Put(path.c_str(), value.dump(), "application/json"), path);
  }
  void remove(const std::string& path, const httplib::Headers& headers = {}) {
    const httplib::Result result = client_.Delete(path.c_str(), headers);
    if (result && result->status == 404) return;
    check(result, path);
  }
  bool reachable() {
    const httplib::Result result = client_.Get("/api/whoami");
    return result && result->status > 0;
  }

 private:
  const httplib::Response& check(const httplib::Result& result, const std::string& path) const {
    if (!result) {
      throw Error("the management API does not answer: " + httplib::to_string(result.error()), uri_,
                  "enable the plugin rabbitmq_management, or check the address");
    }
    const int status = result->status;
    if (status == 401 || status == 403) {
      throw Error("the management API refuses this user", uri_ + path,
                  "give the user the tag management or administrator");
    }
    if (status < 200 || status >= 300) {
      throw Error("the management API answered " + std::to_string(status), uri_ + path,
                  "see the broker's log");
    }
    return *result;
  }
  Json body(const httplib::Response& response, const std::string& path) const {
    Json value = Json::parse(response.body, nullptr, false);
    if (value.is_discarded()) {
      throw Error("the answer of the management API is no JSON", uri_ + path,
                  "check that this is RabbitMQ's management port");
    }
    return value;
  }

  std::string uri_;
  httplib::Client client_;
};

Management::Management(const std::string& uri, const std::string& user, const std::string& password,
                       Nanoseconds timeout, bool tls_insecure) {
  const auto scheme = uri.find("://");
  const auto at = uri.find('@');
  if (scheme == std::string::npos || at == std::string::npos) {
    impl_ = std::make_unique<Impl>(uri, user, password, timeout, tls_insecure);
    return;
  }
  const std::string userinfo = uri.substr(scheme + 3, at - scheme - 3);
  const auto colon = userinfo.find(':');
  impl_ = std::make_unique<Impl>(uri.substr(0, scheme + 3) + uri.substr(at + 1), userinfo.substr(0, colon),
                                 colon == std::string::npos ? "" : userinfo.substr(colon + 1), timeout,
                                 tls_insecure);
}

Management::~Management() = default;

std::unique_ptr<Management> Management::from_amqp(const std::string& amqp_uri, bool tls_insecure) {
  const amqp::Uri uri = amqp::Uri::parse(amqp_uri);
  const std::string host = uri.host.find(':') == std::string::npos ? uri.host : "[" + uri.host + "]";
  const std::string address = uri.tls ? "https://" + host + ":" + std::to_string(kTlsPort)
                                      : "http://" + host + ":" + std::to_string(kPort);
  return std::make_unique<Management>(address, uri.user, uri.password, 5 * kNanosecondsPerSecond,
                                      tls_insecure);
}

const std::string& Management::uri() const { return impl_->uri(); }
bool Management::reachable() { return impl_->reachable(); }

Management::User Management::whoami() {
  const Json json = impl_->get("/api/whoami");
  return {json.value("name", ""), tags_from(json.value("tags", Json::array()))};
}

Json Management::overview() { return impl_->get("/api/overview"); }

Management::Versions Management::versions() {
  const Json json = overview();
  return {json.value("rabbitmq_version", ""), json.value("erlang_version", ""),
          json.value("management_version", ""), json.value("cluster_name", "")};
}

std::vector<std::string> Management::enabled_plugins() {
  std::vector<std::string> plugins;
  try {
    for (const Json& node : impl_->get("/api/nodes")) {
      for (const Json& plugin : node.value("enabled_plugins", Json::array())) {
        if (std::find(plugins.begin(), plugins.end(), plugin) == plugins.end()) plugins.push_back(plugin);
      }
    }
  } catch (const Error&) {
    return {};  // nodes are shown to monitoring users only
  }
  return plugins;
}

std::vector<std::string> Management::exchange_types() {
  std::vector<std::string> types;
  for (const Json& type : overview().value("exchange_types", Json::array()))
    types.push_back(type.value("name", ""));
  return types;
}

std::optional<Management::Vhost> Management::vhost(const std::string& name) {
  const std::optional<Json> json = impl_->find("/api/vhosts/" + encoded(name));
  if (!json) return std::nullopt;
  return vhost_from(*json);
}

std::vector<Management::Vhost> Management::vhosts() {
  std::vector<Vhost> vhosts;
  for (const Json& json : impl_->get("/api/vhosts")) vhosts.push_back(vhost_from(json));
  return vhosts;
}

void Management::create_vhost(const Vhost& vhost) {
  impl_->put("/api/vhosts/" + encoded(vhost.name),
             {{"description", vhost.description}, {"tags", comma_list(vhost.tags)}});
}

void Management::delete_vhost(const std::string& name) { impl_->remove("/api/vhosts/" + encoded(name)); }

void Management::create_user(const std::string& name, const std::string& password,
                             const std::vector<std::string>& tags) {
  impl_->put("/api/users/" + encoded(name), {{"password", password}, {"tags", comma_list(tags)}});
}

void Management::permit(const std::string& user, const std::string& vhost, const std::string& configure,
                        const std::string& write, const std::string& read) {
  impl_->put("/api/permissions/" + encoded(vhost) + "/" + encoded(user),
             {{"configure", configure}, {"write", write}, {"read", read}});
}

void Management::delete_user(const std::string& name) { impl_->remove("/api/users/" + encoded(name)); }

std::vector<Management::Connection> Management::connections() {
  std::vector<Connection> connections;
  for (const Json& json : impl_->get("/api/connections")) {
    Connection connection;
    connection.name = json.value("name", "");
    connection.user = json.value("user", "");
    connection.vhost = json.value("vhost", "");
    connection.state = json.value("state", "");
    connection.client = json.value("client_properties", Json::object()).value("connection_name", "");
    connections.push_back(std::move(connection));
  }
  return connections;
}

void Management::close_connection(const std::string& name, const std::string& reason) {
  impl_->remove("/api/connections/" + encoded(name), {{"X-Reason", reason}});
}

std::vector<Management::QueueDepth> Management::queue_depths(const std::string& vhost) {
  std::vector<QueueDepth> depths;
  for (const Json& json : impl_->get("/api/queues/" + encoded(vhost))) {
    depths.push_back({json.value("name", ""), json.value("messages_ready", std::int64_t{0}),
                      json.value("messages_unacknowledged", std::int64_t{0}),
                      json.value("consumers", std::int64_t{0})});
  }
  return depths;
}

Json Management::bindings(const std::string& vhost) { return impl_->get("/api/bindings/" + encoded(vhost)); }

}  // namespace brokerlab
