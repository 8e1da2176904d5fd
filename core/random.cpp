#include "core/random.h"

#include <bit>
#include <cmath>
#include <numbers>

namespace brokerlab {
namespace {

// std::uint64_t times std::uint64_t in full; a compiler extension, hence marked as one.
__extension__ using Wide = unsigned __int128;

std::uint64_t splitmix64(std::uint64_t& state) {
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

// Every input goes through splitmix64 before the next one is mixed in, so that (seed 1, instance 2) and (seed
// 2, instance 1) have nothing in common.
std::uint64_t mixed(std::uint64_t seed, std::string_view purpose, std::uint64_t instance) {
  std::uint64_t state = seed;
  state = splitmix64(state) ^ fnv1a(purpose);
  state = splitmix64(state) ^ instance;
  return splitmix64(state);
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& word : state_) {
    word = splitmix64(seed);
  }
}

Random::Random(std::uint64_t seed, std::string_view purpose, std::uint64_t instance)
    : Random(mixed(seed, purpose, instance)) {}

std::uint64_t Random::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

std::uint64_t Random::below(std::uint64_t bound) {
  if (bound == 0) {
    return 0;
  }
  // Lemire's multiplication: the high word is the draw; low words under 2^64 mod bound would make some draws
  // likelier.
  const std::uint64_t refused = (0 - bound) % bound;
  while (true) {
    const Wide product = static_cast<Wide>(next()) * bound;
    if (static_cast<std::uint64_t>(product) >= refused) {
      return static_cast<std::uint64_t>(product >> 64);
    }
  }
}

std::int64_t Random::between(std::int64_t low, std::int64_t high) {
  if (high <= low) {
    return low;
  }
  const std::uint64_t span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low) + 1;
  const std::uint64_t offset = span == 0 ? next() : below(span);  // 0: all of the 64 bits
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(low) + offset);
}

double Random::exponential(double mean) { return -mean * std::log1p(-uniform()); }

double Random::normal(double mean, double deviation) {
  // Box and Muller, the cosine half only: two draws each time keep the stream's position independent of
  // history.
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return mean + deviation * radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace brokerlab
