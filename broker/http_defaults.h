#pragma once

namespace httplib {
class Server;
}

namespace brokerlab {

// What everything that we serve in HTTP has in common: a port that is taken is an error, nothing is kept in
// caches, and browsers treat it as what it says it is and as belonging to nobody else. Call before it
// listens.
void set_http_defaults(httplib::Server& server);

}  // namespace brokerlab
