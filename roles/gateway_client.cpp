#include "roles/gateway_client.h"

#include <httplib.h>

#include "core/error.h"
#include "core/json.h"

namespace brokerlab {
namespace {

constexpr time_t kLimit_s = 15;  // above the gateway's own limits, so that it can say what is wrong

std::string segment(const std::string& queue) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const unsigned char c : queue) {
    if (std::isalnum(c) != 0 || c == '-' || c == '_') {
      encoded += static_cast<char>(c);
    } else {
      encoded += {'%', kHex[c >> 4], kHex[c & 15]};
    }
  }
  return encoded;
}

}  // namespace

class GatewayClient::Impl {
 public:
  Impl(const std::string& address, const std::string& token) : address_(address), client_(address) {
    if (!address.starts_with("http://") || !client_.is_valid()) {
      throw Error("\"" + address + "\" is no address of a gateway", "settings.gateway",
                  "for example http://127.0.0.1:8081", ExitStatus::kUsage);
    }
    client_.set_connection_timeout(kLimit_s);
    client_.set_read_timeout(kLimit_s);
    client_.set_write_timeout(kLimit_s);
    if (!token.empty()) client_.set_bearer_token_auth(token);
  }

  struct Answer {
    int status;
    bool ok;
    std::string text;
  };

  Answer post(const std::string& path, const char* field, std::string_view value) {
    return answer(client_.Post(path, httplib::Params{{field, std::string(value)}}));
  }
  Answer get(const std::string& path) { return answer(client_.Get(path)); }

  [[noreturn]] void refused(const Answer& answer) const {
    throw Error("the gateway says no: " + answer.text, address_, "");
  }

 private:
  Answer answer(const httplib::Result& result) const {
    if (!result) {
      throw Error("the gateway cannot be reached (" + httplib::to_string(result.error()) + ")", address_,
                  "start one with `brokerlab gateway`, or check the address");
    }
    const Json json = Json::parse(result->body, nullptr, false);
    if (!json.is_object() || !json.contains("state") || !json.contains("msg") ||
        !json.at("msg").is_string()) {
      throw Error("what answers there is no gateway", address_, "check the address");
    }
    return {result->status, json.at("state") == "OK", json.at("msg").get<std::string>()};
  }

  const std::string address_;
  httplib::Client client_;
};

GatewayClient::GatewayClient(const std::string& address, const std::string& token)
    : impl_(std::make_unique<Impl>(address, token)) {}
GatewayClient::~GatewayClient() = default;

void GatewayClient::create(const std::string& queue) {
  const auto answer = impl_->post("/rabbit/", "nom_queue", queue);
  if (!answer.ok) impl_->refused(answer);
}

void GatewayClient::send(const std::string& queue, std::string_view message) {
  const auto answer = impl_->post("/rabbit/" + segment(queue), "msg", message);
  if (!answer.ok) impl_->refused(answer);
}

std::optional<std::string> GatewayClient::receive(const std::string& queue) {
  auto answer = impl_->get("/rabbit/" + segment(queue));
  if (answer.ok) return std::move(answer.text);
  constexpr int kAnswered = 200;  // with NO: the queue is empty
  if (answer.status == kAnswered) return {};
  impl_->refused(answer);
}

}  // namespace brokerlab
