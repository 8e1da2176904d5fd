#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/recording.h"

namespace brokerlab {

// The publishes of one channel whose outcome is open: publish number -> record, in a ring. Numbers rise; the
// broker settles them in any order. One thread; the records must outlive it.
class OutstandingPublishes {
 public:
  // `limit`: of more than so many the oldest is forgotten (for channels without confirms, where only a return
  // can tell something about a publish). 0: none is forgotten.
  explicit OutstandingPublishes(std::size_t limit = 0) : limit_(limit) {}

  void add(std::uint64_t number, PublishRecord& record);
  // Null when it is settled, forgotten or never was.
  PublishRecord* find(std::uint64_t number) const;

  // Takes out `number`, or with `multiple` everything up to it, and calls `each` with every record taken out.
  template <class Each>
  void settle(std::uint64_t number, bool multiple, Each&& each) {
    for (std::uint64_t n = multiple ? first_ : number; n <= number && n < next_; ++n) {
      if (PublishRecord* record = take(n)) each(*record);
    }
    skip_settled();
  }

  std::size_t size() const { return size_; }

 private:
  PublishRecord*& slot(std::uint64_t number) { return ring_[number & (ring_.size() - 1)]; }
  PublishRecord* take(std::uint64_t number);
  void skip_settled();
  void grow();

  std::vector<PublishRecord*> ring_ = std::vector<PublishRecord*>(16);  // its size is a power of two
  std::uint64_t first_ = 1;                                             // nothing below it is outstanding
  std::uint64_t next_ = 1;                                              // nothing from it on is
  std::size_t size_ = 0;
  std::size_t limit_;
};

}  // namespace brokerlab
