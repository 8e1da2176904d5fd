#include "cli/json_bodies.h"

#include <string_view>

#include "core/random.h"

namespace brokerlab {
namespace {

constexpr std::int64_t kShortest = 5, kLongestName = 30, kLongestValue = 200;
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kLettersAndDigits =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
// Of `"_":""`, with which a document is filled up; no other name has fewer letters.
constexpr std::size_t kFillerBytes = 6;

std::string word(Random& random, std::int64_t longest, std::string_view letters) {
  std::string text(static_cast<std::size_t>(random.between(kShortest, longest)), ' ');
  for (char& letter : text) letter = letters[random.below(letters.size())];
  return text;
}

std::string document(Random& random, std::size_t bytes, const std::vector<std::string>& names) {
  std::string text = "{";
  std::size_t name = random.below(names.size());
  for (std::size_t used = 0;; ++used, ++name) {
    // A name that comes round again has a number, since no object has two of one name.
    const std::size_t round = used / names.size();
    std::string member =
        "\"" + names[name % names.size()] + (round == 0 ? "" : std::to_string(round)) + "\":\"";
    member += word(random, kLongestValue, kLettersAndDigits) + "\",";
    if (text.size() + member.size() + kFillerBytes + 1 > bytes) break;
    text += member;
  }
  text += "\"_\":\"";
  while (text.size() + 2 < bytes) text += kLettersAndDigits[random.below(kLettersAndDigits.size())];
  return text + "\"}";
}

}  // namespace

std::vector<std::string> random_json_bodies(int count, std::size_t bytes, int fields) {
  Random random(1, "JSON bodies", 0);
  std::vector<std::string> names, bodies;
  for (int i = 0; i < fields; ++i) names.push_back(word(random, kLongestName, kLetters) + std::to_string(i));
  for (int i = 0; i < count; ++i) bodies.push_back(document(random, bytes, names));
  return bodies;
}

}  // namespace brokerlab
