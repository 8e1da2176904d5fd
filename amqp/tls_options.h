#pragma once

#include <string>

namespace brokerlab::amqp {

// How an amqps connection is secured. Chain and host name are verified unless `insecure`.
struct TlsOptions {
  bool insecure = false;         // recorded in the result
  std::string ca_file;           // PEM; "" takes the system's certificates
  std::string certificate_file;  // PEM chain of ours; "" for none
  std::string key_file;          // PEM; "" when the key stands in certificate_file
};

}  // namespace brokerlab::amqp
