#include "broker/consistent_hash.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace brokerlab {
namespace {

// Bob Jenkins' hash of 1996, as Erlang mixes it.
void mix(std::uint32_t& a, std::uint32_t& b, std::uint32_t& c) {
  a = (a - b - c) ^ (c >> 13);
  b = (b - c - a) ^ (a << 8);
  c = (c - a - b) ^ (b >> 13);
  a = (a - b - c) ^ (c >> 12);
  b = (b - c - a) ^ (a << 16);
  c = (c - a - b) ^ (b >> 5);
  a = (a - b - c) ^ (c >> 3);
  b = (b - c - a) ^ (a << 10);
  c = (c - a - b) ^ (b >> 15);
}

// Up to four bytes, the lowest first; what lies beyond the end counts as 0.
std::uint32_t word_at(std::string_view bytes, std::size_t offset, std::size_t length = 4) {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < length && offset + i < bytes.size(); ++i) {
    word |= std::uint32_t{static_cast<unsigned char>(bytes[offset + i])} << (8 * i);
  }
  return word;
}

// Erlang's rand with algorithm exs1024s (xorshift1024* of Vigna), seeded by {Seed, Seed, Seed}.
class Exs1024s {
 public:
  explicit Exs1024s(std::uint64_t seed) {
    const auto part = [seed](std::uint64_t factor) { return (((seed & kMask21) + 1) * factor) & kMask21; };
    std::uint64_t state = part(2097131) << 43 | part(2097133) << 22 | part(2097143) << 1 | 1;
    // Erlang builds its list from the front: what is drawn first is used last.
    for (std::size_t i = kWords; i-- > 0;) {
      state ^= state >> 12;
      state ^= state << 25;
      state ^= state >> 27;
      words_.at(i) = state * 2685821657736338717U;
    }
  }

  // [0, 1)
  double uniform() {
    const std::uint64_t first = words_.at(position_);
    position_ = (position_ + 1) % kWords;
    std::uint64_t second = words_.at(position_);
    second ^= second << 31;
    second ^= second >> 11;
    const std::uint64_t next = (first ^ (first >> 30)) ^ second;
    words_.at(position_) = next;
    return static_cast<double>((next * 1181783497276652981U) >> 11) * 0x1p-53;
  }

 private:
  static constexpr std::uint64_t kMask21 = (1U << 21) - 1;
  static constexpr std::size_t kWords = 16;
  std::array<std::uint64_t, kWords> words_{};
  std::size_t position_ = 0;
};

// Lamping and Veach, with Erlang's generator in place of theirs.
std::size_t jump_hash(std::uint32_t key, std::size_t buckets) {
  if (buckets == 1) return 0;
  Exs1024s random(key);
  std::size_t bucket = 0;
  for (;;) {
    const double next = static_cast<double>(bucket + 1) / random.uniform();
    // Not below also where a draw of 0 made it infinite.
    if (next >= static_cast<double>(buckets)) return bucket;
    bucket = static_cast<std::size_t>(next);
  }
}

}  // namespace

std::uint32_t erlang_phash2(std::string_view binary) {
  constexpr std::uint32_t kGolden = 0x9e3779b9;
  constexpr std::uint32_t kOfBinaries = 13 * std::uint64_t{kGolden} & 0xffffffff;
  constexpr std::uint32_t kMask27 = (1U << 27) - 1;
  if (binary.empty()) return kOfBinaries & kMask27;
  std::uint32_t a = kGolden, b = kGolden, c = kOfBinaries;
  std::size_t at = 0;
  for (; binary.size() - at >= 12; at += 12) {
    a += word_at(binary, at);
    b += word_at(binary, at + 4);
    c += word_at(binary, at + 8);
    mix(a, b, c);
  }
  // The lowest byte of the last word is the length.
  c += static_cast<std::uint32_t>(binary.size()) + (word_at(binary, at + 8, 3) << 8);
  a += word_at(binary, at);
  b += word_at(binary, at + 4);
  mix(a, b, c);
  return c & kMask27;
}

void ConsistentHash::bind(const std::string& destination, std::uint32_t weight) {
  if (std::find(buckets_.begin(), buckets_.end(), destination) != buckets_.end()) return;
  buckets_.insert(buckets_.end(), weight, destination);
}

void ConsistentHash::unbind(const std::string& destination) { std::erase(buckets_, destination); }

const std::string& ConsistentHash::destination_of(std::string_view routing_key) const {
  return buckets_.at(jump_hash(erlang_phash2(routing_key), buckets_.size()));
}

}  // namespace brokerlab
