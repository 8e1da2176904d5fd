#include "broker/line_socket.h"

#include <sys/socket.h>

#include <cerrno>

namespace brokerlab {

void LineSocket::send(const Json& line) {
  std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  for (std::size_t sent = 0; sent < text.size();) {
    ssize_t written = ::send(descriptor_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    sent += static_cast<std::size_t>(written);
  }
}

bool LineSocket::receive() {
  char bytes[4096];
  for (;;) {
    ssize_t got = ::recv(descriptor_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0) {
      buffer_.append(bytes, static_cast<std::size_t>(got));
    } else if (got < 0 && errno == EINTR) {
      continue;
    } else {
      return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }
  }
}

std::optional<Json> LineSocket::next() {
  auto end = buffer_.find('\n');
  if (end == std::string::npos) return {};
  Json line = Json::parse(buffer_.substr(0, end), nullptr, false);
  buffer_.erase(0, end + 1);
  if (line.is_discarded()) return {};
  return line;
}

}  // namespace brokerlab
