#include "core/shown_text.h"

#include <gtest/gtest.h>

namespace brokerlab {
namespace {

TEST(ShownBody, PlainTextStaysAsItIs) {
  EXPECT_EQ(shown_body("{\"status\": \"submitted\", \"name\": \"Zoë 数\"}"),
            "{\"status\": \"submitted\", \"name\": \"Zoë 数\"}");
  EXPECT_EQ(shown_body(""), "(empty)");
}

TEST(ShownBody, NothingReachesTheTerminalThatCouldControlIt) {
  EXPECT_EQ(shown_body("a\x1b[2Jb\r\n\tc\x7f"), "a\\x1b[2Jb\\r\\n\\tc\\x7f");
  EXPECT_EQ(shown_body("\xc2\x9b"), "\\xc2\\x9b");  // a control character of eight bits
  EXPECT_EQ(shown_body(std::string_view("\0", 1)), "\\x00");
}

TEST(ShownBody, BytesThatAreNoUtf8AreEscaped) {
  EXPECT_EQ(shown_body("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(shown_body("\xc0\xaf\xed\xa0\x80"), "\\xc0\\xaf\\xed\\xa0\\x80");
}

TEST(ShownWords, AreWholeAndHarmless) {
  EXPECT_EQ(shown_words(""), "");
  EXPECT_EQ(shown_words("Zoë\x1b[2J\n\xff"), "Zoë\\x1b[2J\\n\\xff");
  EXPECT_EQ(shown_words(std::string(300, 'x')), std::string(300, 'x'));
}

TEST(ShownBody, LongOnesAreCutAtACharacter) {
  const std::string body(1 << 20, 'x');
  EXPECT_EQ(shown_body(body), std::string(200, 'x') + "… (1048576 bytes)");
  std::string wide;
  for (int i = 0; i < 201; ++i) wide += "ë";
  EXPECT_EQ(shown_body(wide), wide.substr(0, 400) + "… (402 bytes)");
}

TEST(ShownTarget, TheDefaultExchangeLeadsToAQueue) {
  EXPECT_EQ(shown_target("", "tasks"), "queue \"tasks\"");
  EXPECT_EQ(shown_target("desk", ""), "exchange \"desk\", key \"\"");
}

}  // namespace
}  // namespace brokerlab
