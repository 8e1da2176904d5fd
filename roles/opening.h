#pragma once

#include <functional>
#include <vector>

#include "core/recording.h"
#include "roles/behaviour.h"

namespace brokerlab {

// What a behaviour publishes of its own accord (Behaviour::opening), from the first publish until the
// behaviour knows what became of the last. One loop.
class Opening {
 public:
  explicit Opening(Behaviour& behaviour) : behaviour_(behaviour) {}

  // Asks the behaviour: once at the start, and again when a connection was lost.
  void begin();
  // Publishes the next ones while `writable` says so.
  void go_on(const std::function<bool()>& writable,
             const std::function<const PublishRecord&(const Outgoing&)>& publish);
  // Tells the behaviour what the broker has decided meanwhile.
  void tell();

 private:
  Behaviour& behaviour_;
  std::vector<Outgoing> messages_;
  std::vector<const PublishRecord*> published_;  // the first of the messages
  std::size_t told_ = 0;                         // the first of the published
};

}  // namespace brokerlab
