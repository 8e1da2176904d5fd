#include "core/sequence_set.h"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "core/random.h"

namespace brokerlab {
namespace {

TEST(SequenceSet, CountsTheFirstMarkAndTheOthersApart) {
  SequenceSet set;
  for (const std::uint64_t sequence : {0, 1, 5, 5, 5, 4096, 1}) {
    set.mark(sequence);
  }
  EXPECT_EQ(set.unique(), 4u);
  EXPECT_EQ(set.duplicates(), 3u);
  EXPECT_TRUE(set.seen(0));
  EXPECT_FALSE(set.seen(2));
  EXPECT_TRUE(set.seen(4096));
  EXPECT_FALSE(set.seen(4095));
  EXPECT_FALSE(set.seen(1u << 30));
  EXPECT_TRUE(set.seen_again(5));
  EXPECT_TRUE(set.seen_again(1));
  EXPECT_FALSE(set.seen_again(0));
}

TEST(SequenceSet, AgreesWithAMapOnRandomMarks) {
  Random random(1);
  SequenceSet parts[2];
  std::map<std::uint64_t, int> reference;
  for (int i = 0; i < 20000; ++i) {
    const std::uint64_t sequence = random.below(30000);
    parts[i % 2].mark(sequence);
    ++reference[sequence];
  }
  SequenceSet merged = parts[0];
  merged.merge(parts[1]);
  EXPECT_EQ(merged.unique(), reference.size());
  EXPECT_EQ(merged.duplicates(), 20000 - reference.size());
  std::vector<std::uint64_t> repeated;
  for (const auto& [sequence, times] : reference)
    if (times > 1) repeated.push_back(sequence);
  EXPECT_EQ(merged.repeated(), repeated.size());
  EXPECT_EQ(merged.repeated(30000), repeated);
  repeated.resize(100);
  EXPECT_EQ(merged.repeated(100), repeated) << "the first ones";
  for (std::uint64_t sequence = 0; sequence < 30000; ++sequence) {
    const auto found = reference.find(sequence);
    EXPECT_EQ(merged.seen(sequence), found != reference.end());
    EXPECT_EQ(merged.seen_again(sequence), found != reference.end() && found->second > 1);
  }
}

TEST(SequenceSet, AForeignNumberTakesNoMemoryAndIsReported) {
  SequenceSet set;
  set.mark(std::uint64_t{1} << 60);
  set.mark(UINT64_MAX);
  set.mark(SequenceSet::kLimit);
  set.mark(SequenceSet::kLimit - 1);
  EXPECT_EQ(set.beyond(), 3u);
  EXPECT_EQ(set.unique(), 1u);
  EXPECT_TRUE(set.seen(SequenceSet::kLimit - 1));
  EXPECT_FALSE(set.seen(std::uint64_t{1} << 60));
  EXPECT_FALSE(set.seen_again(UINT64_MAX));
  SequenceSet other;
  other.merge(set);
  EXPECT_EQ(other.beyond(), 3u);
}

TEST(SequenceSet, NamesWhatIsMissingInAnother) {
  SequenceSet published;
  SequenceSet delivered;
  for (std::uint64_t sequence = 0; sequence < 10000; ++sequence) {
    published.mark(sequence);
    if (sequence != 7 && sequence != 64 && sequence < 9998) {
      delivered.mark(sequence);
    }
  }
  delivered.mark(20000);
  EXPECT_EQ(published.count_missing_in(delivered), 4u);
  EXPECT_EQ(published.missing_in(delivered, 100), (std::vector<std::uint64_t>{7, 64, 9998, 9999}));
  EXPECT_EQ(published.missing_in(delivered, 2), (std::vector<std::uint64_t>{7, 64}));
  EXPECT_EQ(delivered.missing_in(published, 100), (std::vector<std::uint64_t>{20000}));
  EXPECT_EQ(published.count_missing_in(SequenceSet{}), 10000u);
}

TEST(SequenceSet, CopiesAreIndependent) {
  SequenceSet set;
  set.mark(3);
  SequenceSet copy = set;
  copy.mark(4);
  EXPECT_FALSE(set.seen(4));
  set = std::move(copy);
  EXPECT_TRUE(set.seen(4));
  EXPECT_EQ(set.unique(), 2u);
}

}  // namespace
}  // namespace brokerlab
