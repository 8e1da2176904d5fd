#pragma once

#include <memory>
#include <string_view>

#include "core/random.h"
#include "loadgen/load_spec.h"
#include "loadgen/template.h"

namespace brokerlab {

// The bodies of one instance, deterministic by seed. One thread.
class Payload {
 public:
  virtual ~Payload() = default;
  // Bytes of the message; valid until the next call. Called once per message, in order.
  virtual std::string_view next(const MessageContext& context) = 0;
  // True when every message has the same body: the publish frame is then built once.
  virtual bool fixed() const = 0;
  // What a file or text of this kind is when the specification does not say: "application/json" for JSON,
  // else "".
  virtual std::string_view content_type() const { return ""; }

  // How many entries of a list or file are dealt out in turn; 0 where bodies are made one by one.
  virtual std::size_t entries() const { return 0; }

  // Reads the files the body names. Messages from lines, csv and jsonl are dealt out over the instances of
  // the load: message i of instance k of n is entry (i n + k) modulo their number, so that each entry is sent
  // once per round. Throws Error (kUsage) naming file and line.
  static std::unique_ptr<Payload> make(const LoadSpec& spec, std::uint64_t seed, std::uint32_t instance);
};

}  // namespace brokerlab
