#include "broker/gateway.h"

#include <httplib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "broker/gateway_access.h"
#include "broker/gateway_page.h"
#include "broker/http_defaults.h"
#include "core/error.h"
#include "core/json.h"
#include "core/signals_elsewhere.h"

namespace brokerlab {
namespace {

constexpr std::size_t kThreads = 16;
constexpr time_t kReadLimit_s = 5;
constexpr time_t kWriteLimit_s = 5;
// A refused request's body is left unread. On a connection that went on, it would be taken for the next
// request, with headers that a foreign page has made up.
constexpr std::size_t kRequestsPerConnection = 1;
constexpr const char* kQueuePath = R"(/rabbit/([\s\S]*))";

// The page is ours alone, and shows what others have sent: nothing but its own two files may run or be drawn.
constexpr const char* kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; form-action "
    "'none'; "
    "base-uri 'none'; frame-ancestors 'none'";

void answer(httplib::Response& response, int status, bool ok, const std::string& text) {
  response.status = status;
  const Json json = {{"state", ok ? "OK" : "NO"}, {"msg", text}};
  response.set_content(json.dump(-1, ' ', false, Json::error_handler_t::replace), "application/json");
}

void answer(httplib::Response& response, const QueueDesk::Answer& given) {
  const auto status = [&] {
    switch (given.outcome) {
      case QueueDesk::Outcome::kDone:
      case QueueDesk::Outcome::kEmpty:
        return 200;
      case QueueDesk::Outcome::kNoQueue:
        return 404;
      case QueueDesk::Outcome::kRefused:
        return 400;
      case QueueDesk::Outcome::kAway:
      case QueueDesk::Outcome::kBusy:
        break;
    }
    return 503;
  };
  answer(response, status(), given.outcome == QueueDesk::Outcome::kDone, given.text);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// application/x-www-form-urlencoded. What is no valid escape stays as it is.
std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    if (escape) {
      plain += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      plain += text[i] == '+' ? ' ' : text[i];
    }
  }
  return plain;
}

std::optional<std::string> field_of_encoded(std::string_view form, std::string_view field) {
  while (!form.empty()) {
    const std::size_t end = std::min(form.find('&'), form.size());
    const std::string_view pair = form.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (decoded(pair.substr(0, equals)) == field) {
      return decoded(pair.substr(std::min(equals + 1, pair.size())));
    }
    form.remove_prefix(std::min(end + 1, form.size()));
  }
  return {};
}

// The body of a POST, read by ourselves: the library lets an encoded form be 8 KiB long and no longer, and a
// body in chunks be as long as it likes.
class Form {
 public:
  Form(const httplib::Request& request, const httplib::ContentReader& read, std::string_view field) {
    // Without either the library would read until the client hangs up.
    if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding")) return;
    std::string kept;
    bool wanted = !request.is_multipart_form_data();
    const auto keep = [&](const char* bytes, std::size_t size) {
      received_ += size;
      if (wanted) kept.append(bytes, size);
      return !too_large();
    };
    if (!request.is_multipart_form_data()) {
      if (read(keep)) value_ = field_of_encoded(kept, field);
      return;
    }
    bool found = false;
    const auto begin = [&](const httplib::MultipartFormData& part) {
      wanted = part.name == field && !found;
      found |= wanted;
      return true;
    };
    if (read(begin, keep) && found) value_ = kept;
  }

  const std::optional<std::string>& value() const { return value_; }
  bool too_large() const { return received_ > Gateway::kLargestBody; }

 private:
  std::size_t received_ = 0;
  std::optional<std::string> value_;
};

// The library lets five connections wait to be accepted; when more come at once, the kernel drops some.
class Server final : public httplib::Server {
 public:
  void let_many_wait() { ::listen(svr_sock_, SOMAXCONN); }
};

class HttpGateway final : public Gateway {
 public:
  HttpGateway(const Options& options, QueueDesk& desk)
      : desk_(desk), access_(options.listen, options.token, options.names), address_(options.listen) {
    set_limits();
    set_checks();
    set_routes();
    if (options.log) log_to(options.log);
    listen();
  }
  ~HttpGateway() override {
    server_.stop();
    serving_.join();
  }

  const ListenAddress& address() const override { return address_; }

 private:
  void set_limits() {
    server_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    server_.set_payload_max_length(kLargestBody);
    server_.set_read_timeout(kReadLimit_s);
    server_.set_write_timeout(kWriteLimit_s);
    server_.set_keep_alive_max_count(kRequestsPerConnection);
    set_http_defaults(server_);
  }

  void set_checks() {
    using Handled = httplib::Server::HandlerResponse;
    server_.set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      const bool of_queues = request.path.starts_with("/rabbit/");
      const auto refusal =
          access_.refuse({request.get_header_value("Host"), request.get_header_value("Origin"),
                          request.get_header_value("Sec-Fetch-Site"),
                          request.get_header_value("Authorization"), !of_queues});
      if (refusal) {
        answer(response, refusal->status, false, refusal->why);
        return Handled::Handled;
      }
      // The library would answer HEAD as a GET without its body: a message would be gone unseen.
      if (of_queues && request.method != "GET" && request.method != "POST") {
        answer(response, 405, false, "use GET to receive and POST to create or send");
        return Handled::Handled;
      }
      return Handled::Unhandled;
    });
    // What the library refuses on its own: unknown paths, bodies that are too large, broken requests.
    server_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty()) return;
      const char* why = response.status == 413   ? "the body is larger than 1 MiB"
                        : response.status == 404 ? "there is nothing at this address"
                                                 : "the request cannot be used";
      answer(response, response.status, false, why);
    });
    server_.set_exception_handler(
        [](const httplib::Request&, httplib::Response& response, const std::exception_ptr&) {
          answer(response, 500, false, "the gateway met something unforeseen");
        });
  }

  void set_routes() {
    for (const PageFile& file : gateway_page(access_.wants_token())) {
      server_.Get(file.path, [file](const httplib::Request&, httplib::Response& response) {
        response.set_header("Content-Security-Policy", kPagePolicy);
        response.set_content(file.text, file.type);
      });
    }
    server_.Get(kQueuePath, [this](const httplib::Request& request, httplib::Response& response) {
      answer(response, desk_.receive(request.matches[1]));
    });
    server_.Post(kQueuePath, [this](const httplib::Request& request, httplib::Response& response,
                                    const httplib::ContentReader& read) {
      const std::string queue = request.matches[1];
      const char* field = queue.empty() ? "nom_queue" : "msg";
      const Form form(request, read, field);
      if (!form.value()) {
        if (form.too_large()) response.status = 413;
        if (response.status >= 400) return;  // told by the error handler
        return answer(response, 400, false, std::string("the form has no field ") + field);
      }
      answer(response, queue.empty() ? desk_.create(*form.value()) : desk_.send(queue, *form.value()));
    });
  }

  void log_to(const std::function<void(const std::string&)>& log) {
    server_.set_logger([log](const httplib::Request& request, const httplib::Response& response) {
      // As JSON, so that no control character reaches a terminal.
      const Json path = request.path;
      log(request.method + " " + path.dump(-1, ' ', true, Json::error_handler_t::replace) + " " +
          std::to_string(response.status));
    });
  }

  void listen() {
    const int port = address_.port == 0
                         ? server_.bind_to_any_port(address_.host)
                         : (server_.bind_to_port(address_.host, address_.port) ? address_.port : -1);
    if (port < 0) {
      throw Error(std::string("cannot listen: ") + std::strerror(errno), address_.text(),
                  "see whether another program listens there, or choose another port");
    }
    address_.port = static_cast<std::uint16_t>(port);
    server_.let_many_wait();
    const SignalsElsewhere masked;
    serving_ = std::thread([this] { server_.listen_after_bind(); });
    // stop() has no effect before the server runs, and would then wait for ever.
    while (!server_.is_running()) std::this_thread::yield();
  }

  QueueDesk& desk_;
  const GatewayAccess access_;
  ListenAddress address_;
  Server server_;
  std::thread serving_;
};

}  // namespace

std::unique_ptr<Gateway> Gateway::start(const Options& options, QueueDesk& desk) {
  return std::make_unique<HttpGateway>(options, desk);
}

}  // namespace brokerlab
