#include "broker/http_defaults.h"

#include <httplib.h>

namespace brokerlab {

void set_http_defaults(httplib::Server& server) {
  server.set_tcp_nodelay(true);
  // Not the library's SO_REUSEPORT: a second program on the same port would silently take half the requests.
  server.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  server.set_default_headers({{"Cache-Control", "no-store"},
                              {"X-Content-Type-Options", "nosniff"},
                              {"Referrer-Policy", "no-referrer"},
                              {"Cross-Origin-Resource-Policy", "same-origin"}});
}

}  // namespace brokerlab
