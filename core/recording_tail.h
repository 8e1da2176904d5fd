#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/recording.h"

namespace brokerlab {

// Reads a recording while its process still writes it: each look() visits what has come since the last one.
// A record is visited when it is first seen, with what was known when it was appended, and once more when
// nothing more will be learnt of it. The process that writes takes no part in this and pays nothing for it.
// One thread. A look reads a bounded number of records, and a bounded number is kept in mind.
class RecordingTail {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_publish(const PublishRecord& record) = 0;
    virtual void on_publish_over(const PublishRecord& record) = 0;
    virtual void on_delivery(const DeliveryRecord& record) = 0;
    virtual void on_delivery_over(const DeliveryRecord& record) = 0;
  };

  // The file need not be there yet.
  explicit RecordingTail(std::filesystem::path path) : path_(std::move(path)) {}
  ~RecordingTail();
  RecordingTail(const RecordingTail&) = delete;
  RecordingTail& operator=(const RecordingTail&) = delete;

  // `now`: before this call, of the clock that the recording's times are of. `ended`: its process writes no
  // more. False when there is more to read than one look takes.
  bool look(Nanoseconds now, bool ended, Listener& listener);

  // Records whose end was not followed, because too many had none yet.
  std::uint64_t unfollowed() const { return unfollowed_; }

 private:
  struct Chunk {
    std::uint64_t offset;  // of its header
    std::uint64_t before;  // records of its kind in the chunks before it
  };
  // The records of one kind.
  struct Stream {
    std::vector<Chunk> chunks;
    std::uint64_t seen = 0;          // records, in all chunks
    std::deque<std::uint64_t> open;  // those of them that were not over when they were last looked at
  };

  bool open_file();
  void find_chunks();
  std::size_t read_at(std::uint64_t offset, void* into, std::size_t bytes) const;
  std::uint64_t used(const Chunk& chunk) const;
  template <class Record, class Visit>
  std::uint64_t read_records(const Stream& stream, std::uint64_t index, std::uint64_t count, Visit visit);
  template <class Record>
  bool read_new(Stream& stream, Nanoseconds over_before, Listener& listener);
  template <class Record>
  void look_again(Stream& stream, Nanoseconds over_before, bool all, Listener& listener);

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t next_chunk_ = 0;
  Stream publishes_, deliveries_;
  std::vector<std::byte> buffer_;
  std::uint64_t unfollowed_ = 0;
};

}  // namespace brokerlab
