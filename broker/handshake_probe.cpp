#include "broker/handshake_probe.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace brokerlab {
namespace {

// A connection to a loopback port is made or refused at once. -1 when refused.
int connect_to(std::uint16_t port) {
  int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // With a full backlog connect() would wait for minutes: let it go on without us.
  ::fcntl(descriptor, F_SETFL, O_NONBLOCK);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return descriptor;
  pollfd ready{descriptor, POLLOUT, 0};
  int error = errno;
  socklen_t size = sizeof error;
  if (error == EINPROGRESS && ::poll(&ready, 1, 100) == 1 &&
      ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0) {
    return descriptor;
  }
  ::close(descriptor);
  return -1;
}

}  // namespace

bool port_answers(std::uint16_t port) {
  int descriptor = connect_to(port);
  if (descriptor < 0) return false;
  ::close(descriptor);
  return true;
}

bool amqp_answers(std::uint16_t port, int limit_ms) {
  static constexpr char kHeader[8] = {'A', 'M', 'Q', 'P', 0, 0, 9, 1};
  static constexpr unsigned char kStart[] = {1, 0, 0};  // a method frame on channel 0
  int descriptor = connect_to(port);
  if (descriptor < 0) return false;
  unsigned char answer[3] = {};
  pollfd ready{descriptor, POLLIN, 0};
  bool answered = ::send(descriptor, kHeader, sizeof kHeader, MSG_NOSIGNAL) == sizeof kHeader &&
                  ::poll(&ready, 1, limit_ms) == 1 &&
                  ::recv(descriptor, answer, sizeof answer, 0) == sizeof answer && answer[0] == kStart[0] &&
                  answer[1] == kStart[1] && answer[2] == kStart[2];
  ::close(descriptor);
  return answered;
}

}  // namespace brokerlab
