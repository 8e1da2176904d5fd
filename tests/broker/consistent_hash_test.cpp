#include "broker/consistent_hash.h"

#include <gtest/gtest.h>

#include <map>

namespace brokerlab {
namespace {

constexpr int kKeys = 10'000;

ConsistentHash ring(int queues) {
  ConsistentHash hash;
  for (int i = 0; i < queues; ++i) hash.bind("q" + std::to_string(i), 1);
  return hash;
}

std::string key(int i) { return "key-" + std::to_string(i); }

double share_moved(const ConsistentHash& before, const ConsistentHash& after) {
  int moved = 0;
  for (int i = 0; i < kKeys; ++i) moved += before.destination_of(key(i)) != after.destination_of(key(i));
  return static_cast<double>(moved) / kKeys;
}

// As erlang:phash2/1 of Erlang 25 answers.
TEST(ConsistentHash, HashesBinariesAsErlang) {
  EXPECT_EQ(erlang_phash2(""), 13708901U);
  EXPECT_EQ(erlang_phash2("a"), 112802447U);
  EXPECT_EQ(erlang_phash2("key-0"), 91985521U);
  EXPECT_EQ(erlang_phash2("key-9999"), 126221835U);
  EXPECT_EQ(erlang_phash2("twelve-bytes"), 8570600U);
  EXPECT_EQ(erlang_phash2("thirteen-byte"), 69436603U);
  EXPECT_EQ(erlang_phash2("a key longer than twelve bytes by far"), 99859686U);
}

// As Erlang 25 jumps with rand:seed_s(exs1024s, …); many buckets need many draws.
TEST(ConsistentHash, JumpsAsErlang) {
  const ConsistentHash many = ring(1000);
  EXPECT_EQ(many.destination_of(""), "q161");
  EXPECT_EQ(many.destination_of("a"), "q47");
  EXPECT_EQ(many.destination_of("key-0"), "q910");
  EXPECT_EQ(many.destination_of("key-9999"), "q630");
  EXPECT_EQ(many.destination_of("twelve-bytes"), "q707");
  EXPECT_EQ(many.destination_of("thirteen-byte"), "q377");
}

// Counted on RabbitMQ 3.10.8.
TEST(ConsistentHash, FourQueuesShareAsMeasured) {
  const ConsistentHash four = ring(4);
  std::map<std::string, int> shares;
  for (int i = 0; i < kKeys; ++i) ++shares[four.destination_of(key(i))];
  EXPECT_EQ(shares, (std::map<std::string, int>{{"q0", 2449}, {"q1", 2534}, {"q2", 2537}, {"q3", 2480}}));
}

TEST(ConsistentHash, MembershipMovesAsManyKeysAsMeasured) {
  const ConsistentHash four = ring(4);
  ConsistentHash first_gone = four, last_gone = four;
  first_gone.unbind("q0");
  last_gone.unbind("q3");
  EXPECT_DOUBLE_EQ(share_moved(four, first_gone), 0.9195);
  EXPECT_DOUBLE_EQ(share_moved(four, last_gone), 0.2480);
  EXPECT_DOUBLE_EQ(share_moved(four, ring(5)), 0.1997);
}

TEST(ConsistentHash, WeightIsNeighbouringBuckets) {
  ConsistentHash weighted;
  weighted.bind("light", 1);
  weighted.bind("heavy", 3);
  const ConsistentHash four = ring(4);
  for (int i = 0; i < kKeys; ++i) {
    EXPECT_EQ(weighted.destination_of(key(i)) == "light", four.destination_of(key(i)) == "q0");
  }
}

TEST(ConsistentHash, OneUnbindTakesAllBucketsOfAQueue) {
  ConsistentHash hash;
  hash.bind("a", 2);
  hash.bind("b", 1);
  hash.unbind("a");
  EXPECT_EQ(hash.destination_of("key-0"), "b");
  hash.unbind("b");
  EXPECT_TRUE(hash.empty());
  hash.unbind("b");  // gone already
}

}  // namespace
}  // namespace brokerlab
