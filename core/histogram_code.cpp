// The V2 compressed exchange form of HdrHistogram. From the outside in: base64; a wrapper of cookie and
// length; zlib; a header of 40 bytes; the counts as zigzag LEB128 numbers, in which -n stands for n empty
// slots.
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/error.h"
#include "core/histogram.h"

namespace brokerlab {
namespace {

// The low nibble of a cookie is a flag the other libraries set (16) and mask away before they compare.
constexpr std::uint32_t kCookie = 0x1c849303;
constexpr std::uint32_t kCompressedCookie = 0x1c849304;
constexpr std::uint32_t kCookieFlag = 0x10;
constexpr std::uint32_t kCookieMask = ~std::uint32_t{0xf0};
constexpr std::size_t kHeaderBytes = 40;
constexpr std::size_t kWrapperBytes = 8;
constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

[[noreturn]] void refuse(const std::string& reason) {
  throw Error("not a histogram in V2 compressed form: " + reason, "",
              "encode it with three significant digits and a lowest value of 1");
}

template <class Integer>
void put(std::string& out, Integer value) {
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift));
  }
}

template <class Integer>
Integer take(const std::string& in, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    value = value << 8 | static_cast<unsigned char>(in[at + i]);
  }
  return static_cast<Integer>(value);
}

void put_zigzag(std::string& out, std::int64_t value) {
  auto bits = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  // Nine bytes at most: the ninth carries eight bits and no continuation flag.
  for (int byte = 0; byte < 8 && bits >= 0x80; ++byte, bits >>= 7) {
    out.push_back(static_cast<char>(bits | 0x80));
  }
  out.push_back(static_cast<char>(bits));
}

std::int64_t take_zigzag(const std::string& in, std::size_t& at) {
  std::uint64_t bits = 0;
  for (int byte = 0; byte < 9; ++byte) {
    if (at == in.size()) {
      refuse("it ends within a number");
    }
    const auto next = static_cast<unsigned char>(in[at++]);
    const bool last = byte == 8 || (next & 0x80) == 0;
    bits |= static_cast<std::uint64_t>(byte == 8 ? next : next & 0x7f) << (7 * byte);
    if (last) {
      break;
    }
  }
  return static_cast<std::int64_t>(bits >> 1) ^ -static_cast<std::int64_t>(bits & 1);
}

std::string base64(const std::string& in) {
  std::string out;
  out.reserve((in.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < in.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < in.size() ? static_cast<unsigned char>(in[i + k]) : 0);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out.push_back(i + k <= in.size() ? kAlphabet[group >> (18 - 6 * k) & 63] : '=');
    }
  }
  return out;
}

std::string from_base64(std::string_view in) {
  while (!in.empty() && in.back() == '=') {
    in.remove_suffix(1);
  }
  std::string out;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : in) {
    const char* found = c == '\0' ? nullptr : std::strchr(kAlphabet, c);
    if (found == nullptr) {
      refuse("it holds a character that is not base64");
    }
    group = group << 6 | static_cast<std::uint32_t>(found - kAlphabet);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>(group >> bits));
    }
  }
  return out;
}

std::string inflated(const std::string& in, std::size_t at_most) {
  std::string out(at_most, '\0');
  uLongf bytes = out.size();
  const int status = ::uncompress(reinterpret_cast<Bytef*>(out.data()), &bytes,
                                  reinterpret_cast<const Bytef*>(in.data()) + kWrapperBytes,
                                  static_cast<uLong>(in.size() - kWrapperBytes));
  if (status != Z_OK) {
    refuse("its compressed part is damaged");
  }
  out.resize(bytes);
  return out;
}

}  // namespace

std::string Histogram::encode() const {
  std::string counts;
  const std::size_t slots = count_ == 0 ? 0 : index_of(max_) + 1;
  for (std::size_t i = 0; i < slots;) {
    std::size_t empty = 0;
    while (i + empty < slots && counts_[i + empty] == 0) {
      ++empty;
    }
    // A single empty slot is written as the count 0, a longer run as its negative length.
    put_zigzag(counts, empty > 1 ? -static_cast<std::int64_t>(empty) : counts_[i]);
    i += std::max<std::size_t>(empty, 1);
  }

  std::string plain;
  put(plain, kCookie | kCookieFlag);
  put(plain, static_cast<std::uint32_t>(counts.size()));
  put(plain, std::uint32_t{0});  // normalizing index offset: never shifted
  put(plain, std::uint32_t{kSignificantDigits});
  put(plain, kLowest);
  put(plain, kHighest);
  put(plain, std::bit_cast<std::uint64_t>(1.0));  // integer to double conversion ratio
  plain += counts;

  uLongf bytes = ::compressBound(static_cast<uLong>(plain.size()));
  std::string packed(bytes, '\0');
  ::compress(reinterpret_cast<Bytef*>(packed.data()), &bytes, reinterpret_cast<const Bytef*>(plain.data()),
             static_cast<uLong>(plain.size()));
  packed.resize(bytes);
  std::string wrapped;
  put(wrapped, kCompressedCookie | kCookieFlag);
  put(wrapped, static_cast<std::uint32_t>(packed.size()));
  return base64(wrapped + packed);
}

Histogram Histogram::decode(std::string_view text) {
  const std::string wrapped = from_base64(text);
  if (wrapped.size() < kWrapperBytes ||
      (take<std::uint32_t>(wrapped, 0) & kCookieMask) != (kCompressedCookie & kCookieMask)) {
    refuse("it does not begin with the cookie of that form");
  }
  // No slot needs more than nine bytes; what claims more is no histogram of this layout.
  const std::string plain = inflated(wrapped, kHeaderBytes + 9 * kSlots);
  if (plain.size() < kHeaderBytes ||
      (take<std::uint32_t>(plain, 0) & kCookieMask) != (kCookie & kCookieMask)) {
    refuse("its header is not of version 2");
  }
  if (take<std::uint32_t>(plain, 12) != kSignificantDigits || take<std::int64_t>(plain, 16) != kLowest) {
    refuse("it has another precision or lowest value");
  }
  // The word at 8, the normalizing index offset, is not looked at: it is for shifted histograms of Java only,
  // and the JavaScript library writes 1 there for every one.
  const std::size_t claimed = take<std::uint32_t>(plain, 4);
  if (claimed > plain.size() - kHeaderBytes) {
    refuse("it is shorter than it claims");
  }

  Histogram histogram;
  std::uint64_t slot = 0;
  const std::string counts = plain.substr(kHeaderBytes, claimed);
  for (std::size_t at = 0; at < counts.size();) {
    const std::int64_t value = take_zigzag(counts, at);
    if (value < 0) {
      slot += 0 - static_cast<std::uint64_t>(value);
    } else if (value > 0) {
      if (slot >= kSlots || slot == 0 || lowest_of(slot) > kHighest) {
        refuse("it holds values outside 1 ns to one hour");
      }
      histogram.record(lowest_of(slot), value);
      histogram.max_ = std::min(lowest_of(slot) + width_of(slot) - 1, kHighest);
    }
    if (slot > kSlots) {
      refuse("it has more slots than this layout");
    }
    slot += value >= 0 ? 1 : 0;
  }
  return histogram;
}

}  // namespace brokerlab
