#pragma once

#include <cstdint>
#include <vector>

namespace brokerlab {

// Which sequence numbers of one publisher were seen, and which more than once: two bits per number, 2.5 MB per ten
// million messages. The exact account of duplicates and losses rests on this.
class SequenceSet {
 public:
  void mark(std::uint64_t sequence);
  bool seen(std::uint64_t sequence) const;
  bool seen_again(std::uint64_t sequence) const;
  std::uint64_t unique() const { return unique_; }          // distinct numbers seen
  std::uint64_t duplicates() const { return duplicates_; }  // marks beyond the first of each number
  void merge(const SequenceSet& other);

 private:
  std::vector<std::uint64_t> seen_, again_;
  std::uint64_t unique_ = 0, duplicates_ = 0;
};

}  // namespace brokerlab
