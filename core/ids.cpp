#include "core/ids.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <time.h>

#include <cstring>

#include "core/clock.h"
#include "core/error.h"

namespace brokerlab {
namespace {

// 2024-01-01T00:00:00Z: counting from here leaves room for 24 random bits below 2^53.
constexpr std::int64_t kEpoch = 1'704'067'200;
constexpr int kRandomBits = 24;

std::uint64_t number_of(std::int64_t unix_seconds, std::uint32_t random) {
  return static_cast<std::uint64_t>(unix_seconds - kEpoch) << kRandomBits | random;
}

}  // namespace

RunId RunId::make() {
  std::uint32_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) {
    throw Error(std::string("no random number from the kernel: ") + std::strerror(errno), "getrandom", "");
  }
  random &= (1u << kRandomBits) - 1;
  const std::int64_t seconds = WallClock::unix_seconds_now();
  const time_t time = seconds;
  tm parts{};
  ::gmtime_r(&time, &parts);
  char stamp[32];
  ::strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &parts);
  return {fmt::format("{}-{:06x}", stamp, random), number_of(seconds, random)};
}

RunId RunId::from_text(std::string_view text) {
  // Parsed and written again: what does not come back the same is no run id.
  tm parts{};
  const std::string copy(text);
  const char* rest = ::strptime(copy.c_str(), "%Y%m%d-%H%M%S-", &parts);
  unsigned random = 0;
  if (rest != nullptr && std::strlen(rest) == 6 && std::strspn(rest, "0123456789abcdef") == 6) {
    random = static_cast<unsigned>(std::stoul(rest, nullptr, 16));
    const time_t seconds = ::timegm(&parts);
    char stamp[32];
    ::strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &parts);
    if (seconds >= kEpoch && fmt::format("{}-{:06x}", stamp, random) == copy) {
      return {copy, number_of(seconds, random)};
    }
  }
  throw Error("\"" + copy + "\" is no run id", "", "run ids look like 20261121-031355-a1b2c3",
              ExitStatus::kUsage);
}

}  // namespace brokerlab
