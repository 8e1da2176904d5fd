#pragma once

#include <string>
#include <vector>

namespace brokerlab {

// A file of the gateway's page, built into the program.
struct PageFile {
  std::string path;  // "/", "/gateway.css"
  std::string type;
  std::string text;
};

// The page on which a person creates queues, sends and receives. `with_token`: it asks for one.
std::vector<PageFile> gateway_page(bool with_token);

}  // namespace brokerlab
