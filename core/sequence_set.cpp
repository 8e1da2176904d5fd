#include "core/sequence_set.h"

#include <bit>

namespace brokerlab {
namespace {

constexpr std::uint64_t kPageBits = 12;
constexpr std::uint64_t kInPage = (std::uint64_t{1} << kPageBits) - 1;

std::size_t word_of(std::uint64_t sequence) { return (sequence & kInPage) / 64; }
std::uint64_t bit_of(std::uint64_t sequence) { return std::uint64_t{1} << (sequence % 64); }

}  // namespace

SequenceSet::SequenceSet(const SequenceSet& other)
    : unique_(other.unique_), duplicates_(other.duplicates_), beyond_(other.beyond_) {
  pages_.reserve(other.pages_.size());
  for (const auto& page : other.pages_) {
    pages_.push_back(page ? std::make_unique<Page>(*page) : nullptr);
  }
}

SequenceSet& SequenceSet::operator=(SequenceSet other) noexcept {
  pages_.swap(other.pages_);
  unique_ = other.unique_;
  duplicates_ = other.duplicates_;
  beyond_ = other.beyond_;
  return *this;
}

SequenceSet::Page& SequenceSet::page_of(std::uint64_t sequence) {
  const std::size_t index = sequence >> kPageBits;
  if (index >= pages_.size()) {
    pages_.resize(index + 1);
  }
  if (!pages_[index]) {
    pages_[index] = std::make_unique<Page>();
  }
  return *pages_[index];
}

const SequenceSet::Page* SequenceSet::find_page(std::uint64_t sequence) const {
  const std::uint64_t index = sequence >> kPageBits;
  return index < pages_.size() ? pages_[index].get() : nullptr;
}

void SequenceSet::mark(std::uint64_t sequence) {
  if (sequence >= kLimit) {
    ++beyond_;
    return;
  }
  Page& page = page_of(sequence);
  const std::size_t word = word_of(sequence);
  const std::uint64_t bit = bit_of(sequence);
  if ((page.seen[word] & bit) == 0) {
    page.seen[word] |= bit;
    ++unique_;
  } else {
    page.again[word] |= bit;
    ++duplicates_;
  }
}

bool SequenceSet::seen(std::uint64_t sequence) const {
  const Page* page = find_page(sequence);
  return page != nullptr && (page->seen[word_of(sequence)] & bit_of(sequence)) != 0;
}

bool SequenceSet::seen_again(std::uint64_t sequence) const {
  const Page* page = find_page(sequence);
  return page != nullptr && (page->again[word_of(sequence)] & bit_of(sequence)) != 0;
}

std::uint64_t SequenceSet::repeated() const {
  std::uint64_t count = 0;
  for (const auto& page : pages_) {
    if (!page) {
      continue;
    }
    for (const std::uint64_t word : page->again) {
      count += static_cast<std::uint64_t>(std::popcount(word));
    }
  }
  return count;
}

std::vector<std::uint64_t> SequenceSet::repeated(std::size_t at_most) const {
  std::vector<std::uint64_t> numbers;
  for (std::size_t index = 0; index < pages_.size(); ++index) {
    for (std::size_t word = 0; pages_[index] && word < kWords; ++word) {
      for (std::uint64_t left = pages_[index]->again[word]; left != 0; left &= left - 1) {
        if (numbers.size() == at_most) {
          return numbers;
        }
        const std::uint64_t first = (std::uint64_t{index} << kPageBits) + word * 64;
        numbers.push_back(first + static_cast<std::uint64_t>(std::countr_zero(left)));
      }
    }
  }
  return numbers;
}

void SequenceSet::merge(const SequenceSet& other) {
  duplicates_ += other.duplicates_;
  beyond_ += other.beyond_;
  for (std::size_t index = 0; index < other.pages_.size(); ++index) {
    if (!other.pages_[index]) {
      continue;
    }
    Page& page = page_of(std::uint64_t{index} << kPageBits);
    const Page& theirs = *other.pages_[index];
    for (std::size_t word = 0; word < kWords; ++word) {
      const std::uint64_t both = page.seen[word] & theirs.seen[word];
      duplicates_ += static_cast<std::uint64_t>(std::popcount(both));
      unique_ += static_cast<std::uint64_t>(std::popcount(theirs.seen[word] & ~page.seen[word]));
      page.again[word] |= theirs.again[word] | both;
      page.seen[word] |= theirs.seen[word];
    }
  }
}

std::uint64_t SequenceSet::count_missing_in(const SequenceSet& other) const {
  std::uint64_t missing = 0;
  for (std::size_t index = 0; index < pages_.size(); ++index) {
    if (!pages_[index]) {
      continue;
    }
    const Page* theirs = other.find_page(std::uint64_t{index} << kPageBits);
    for (std::size_t word = 0; word < kWords; ++word) {
      const std::uint64_t had = theirs != nullptr ? theirs->seen[word] : 0;
      missing += static_cast<std::uint64_t>(std::popcount(pages_[index]->seen[word] & ~had));
    }
  }
  return missing;
}

std::vector<std::uint64_t> SequenceSet::missing_in(const SequenceSet& other, std::size_t at_most) const {
  std::vector<std::uint64_t> missing;
  for (std::size_t index = 0; index < pages_.size(); ++index) {
    if (!pages_[index]) {
      continue;
    }
    const std::uint64_t first = std::uint64_t{index} << kPageBits;
    const Page* theirs = other.find_page(first);
    for (std::size_t word = 0; word < kWords; ++word) {
      std::uint64_t left = pages_[index]->seen[word] & ~(theirs != nullptr ? theirs->seen[word] : 0);
      for (; left != 0; left &= left - 1) {
        if (missing.size() == at_most) {
          return missing;
        }
        missing.push_back(first + word * 64 + static_cast<std::uint64_t>(std::countr_zero(left)));
      }
    }
  }
  return missing;
}

}  // namespace brokerlab
