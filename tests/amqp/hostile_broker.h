#pragma once

#include <cstdint>
#include <functional>
#include <thread>

#include "amqp/uri.h"
#include "wire_bytes.h"

namespace brokerlab::amqp {

// A peer on a real socket that plays a script with everybody who connects: what a broken, hostile or foreign
// program does to our sockets, timers and memory. A thread of its own; a script that waits for a client
// longer than twenty seconds fails the test: every client must give up before.
class HostileBroker {
 public:
  // The script's side of one connection. Whatever the client has hung up on does nothing.
  class Peer {
   public:
    explicit Peer(int socket) : socket_(socket) {}

    void say(const Bytes& bytes);
    void say_byte_by_byte(const Bytes& bytes);
    void say_for_ever(const Bytes& bytes);  // until the client hangs up
    void fall_silent();                     // takes what comes, until the client hangs up
    void fall_deaf();                       // reads nothing more, until the client hangs up
    void hear_header();                     // the eight bytes that a client begins with
    void hear_frame();
    void reset();  // instead of the orderly end that follows a script

    // The steps of a decent broker.
    void greet();                           // hears the header, says connection.start
    void tune(const Bytes& words);          // hears start-ok, says these
    void tune();                            // with usual limits
    void open();                            // hears tune-ok and open, says open-ok
    void open_channel();                    // all of that, and channel 1
    void answer_first(const Bytes& bytes);  // hears one question more, says these

   private:
    void wait_for(short events);
    std::size_t hear(std::byte* into, std::size_t bytes);

    int socket_;
    bool gone_ = false;
  };
  using Script = std::function<void(Peer&)>;

  explicit HostileBroker(Script script);
  ~HostileBroker();
  HostileBroker(const HostileBroker&) = delete;
  HostileBroker& operator=(const HostileBroker&) = delete;

  Uri uri(bool tls = false) const;

 private:
  void serve();

  Script script_;
  int listening_ = -1;
  int wake_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace brokerlab::amqp
