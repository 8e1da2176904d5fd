#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace brokerlab {

// Which sequence numbers of one publisher were seen, and which more than once: two bits per number, 2.5 MB
// per ten million messages. The exact account of duplicates and losses rests on this. Gaps cost no more than
// a page table. A number from kLimit on can be no message of ours (the plan refuses such runs): it is counted
// in beyond() and nowhere else, so that a stray number never takes memory.
class SequenceSet {
 public:
  static constexpr std::uint64_t kLimit = std::uint64_t{1} << 32;

  SequenceSet() = default;
  SequenceSet(const SequenceSet& other);
  SequenceSet(SequenceSet&&) noexcept = default;
  SequenceSet& operator=(SequenceSet other) noexcept;

  void mark(std::uint64_t sequence);
  bool seen(std::uint64_t sequence) const;
  bool seen_again(std::uint64_t sequence) const;
  std::uint64_t unique() const { return unique_; }          // distinct numbers seen
  std::uint64_t duplicates() const { return duplicates_; }  // marks beyond the first of each number
  std::uint64_t beyond() const { return beyond_; }          // marks of numbers from kLimit on
  std::uint64_t repeated() const;                           // distinct numbers seen more than once
  // The first `at_most` of those, ascending.
  std::vector<std::uint64_t> repeated(std::size_t at_most) const;
  void merge(const SequenceSet& other);

  // The numbers in this set that `other` has not: how many, and the first `at_most` of them, ascending.
  std::uint64_t count_missing_in(const SequenceSet& other) const;
  std::vector<std::uint64_t> missing_in(const SequenceSet& other, std::size_t at_most) const;

 private:
  static constexpr std::size_t kWords = 64;  // per page: 4096 numbers
  struct Page {
    std::array<std::uint64_t, kWords> seen{}, again{};
  };
  Page& page_of(std::uint64_t sequence);
  const Page* find_page(std::uint64_t sequence) const;

  std::vector<std::unique_ptr<Page>> pages_;
  std::uint64_t unique_ = 0, duplicates_ = 0, beyond_ = 0;
};

}  // namespace brokerlab
