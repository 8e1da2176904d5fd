#include "roles/code_task.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "roles/n_queens.h"

namespace brokerlab {
namespace {

Json queens_task(unsigned n, const QueensPlaced& first) {
  return {{"cmd", "n_queens"}, {"id_projet", "queens"},
          {"id_task", 1},      {"phrase", "a board"},
          {"url", ""},         {"arguments", {{"n", n}, {"first", first}}}};
}

std::uint64_t sum_of_parts(unsigned n, unsigned depth) {
  std::uint64_t sum = 0;
  for (const QueensPlaced& first : split_queens(n, depth)) {
    sum += carry_out(queens_task(n, first)).at("result").get<std::uint64_t>();
  }
  return sum;
}

TEST(Queens, PartsAddUpToTheKnownCounts) {
  constexpr std::uint64_t kKnown[] = {92, 352, 724, 2680, 14200, 73712, 365596};
  for (unsigned n = 8; n <= 14; ++n) {
    for (unsigned depth : {1U, 2U}) EXPECT_EQ(sum_of_parts(n, depth), kKnown[n - 8]) << n << " by " << depth;
  }
}

TEST(Queens, AnyDepthGivesTheSameSum) {
  for (unsigned depth = 0; depth <= 8; ++depth) EXPECT_EQ(sum_of_parts(8, depth), 92U) << depth;
  EXPECT_EQ(split_queens(8, 8).size(), 92U);
  EXPECT_EQ(count_queens(1, {}), 1U);
  EXPECT_EQ(count_queens(3, {}), 0U);
}

TEST(Queens, SplitInLexicalOrderWithoutAttacks) {
  EXPECT_EQ(split_queens(4, 2), (std::vector<QueensPlaced>{{0, 2}, {0, 3}, {1, 3}, {2, 0}, {3, 0}, {3, 1}}));
}

TEST(Queens, FirstOnesThatAttackEachOtherLeaveNoWay) {
  for (const QueensPlaced& first : {QueensPlaced{3, 3}, {3, 4}, {3, 2}, {0, 5, 2}}) {
    EXPECT_EQ(count_queens(8, first), 0U);
  }
}

TEST(Queens, WhatIsNoBoardIsRefused) {
  EXPECT_THROW(count_queens(0, {}), Error);
  EXPECT_THROW(count_queens(kMostQueens + 1, {}), Error);
  const QueensPlaced outside{8}, too_many(5, 0);
  EXPECT_THROW(count_queens(8, outside), Error);
  EXPECT_THROW(count_queens(4, too_many), Error);
  EXPECT_THROW(split_queens(4, 5), Error);
}

TEST(CodeTask, EchoAnswersWithThePhraseAndKeepsTheTask) {
  const Json task = Json::parse(
      R"({"cmd":"echo","id_projet":"p","id_task":3,"phrase":"task 3 of p","url":"http://x/","mine":[1]})");
  Json expected = task;
  expected["state"] = "done";
  expected["result"] = "task 3 of p";
  EXPECT_EQ(carry_out(task), expected);
}

TEST(CodeTask, AnythingElseIsRefusedInWords) {
  const auto refusal = [](const char* text) {
    const Json answer = carry_out(Json::parse(text));
    EXPECT_EQ(answer.at("state"), "refused") << text;
    return answer.at("result").get<std::string>();
  };
  EXPECT_EQ(refusal(R"({"cmd":"rm -rf /","id_projet":"p","id_task":1})"),
            "cmd \"rm -rf /\" is not known (cmd): this worker carries out echo and n_queens only");
  EXPECT_EQ(refusal(R"({"id_projet":"p","id_task":1})"), "a task without a cmd (cmd)");
  EXPECT_EQ(refusal(R"({"cmd":["echo"]})"), "a task without a cmd (cmd)");
  EXPECT_EQ(refusal(R"({"cmd":"echo","phrase":7})"), "an echo task without a text (phrase)");
  EXPECT_EQ(refusal(R"([1])"), "a task without a cmd (cmd)");
  for (const char* arguments :
       {R"(7)", R"({})", R"({"n":0})", R"({"n":-8})", R"({"n":8.5})", R"({"n":"8"})", R"({"n":99})",
        R"({"n":18446744073709551615})", R"({"n":8,"first":0})", R"({"n":8,"first":[8]})",
        R"({"n":8,"first":[-1]})", R"({"n":8,"first":[4294967296]})", R"({"n":4,"first":[0,2,1,3,0]})"}) {
    const std::string text = std::string(R"({"cmd":"n_queens","arguments":)") + arguments + "}";
    EXPECT_NE(refusal(text.c_str()), "") << text;
  }
}

TEST(CodeTask, IsOneWhenProjectAndTaskHaveNames) {
  EXPECT_TRUE(is_code_task(Json::parse(R"({"id_projet":"p","id_task":1})")));
  EXPECT_TRUE(is_code_task(Json::parse(R"({"id_projet":7,"id_task":"a"})")));
  for (const char* text :
       {R"({"id_projet":"p"})", R"({"id_task":1})", R"({"id_projet":"","id_task":1})",
        R"({"id_projet":null,"id_task":1})", R"({"id_projet":"p","id_task":1.5})", "[]", "7"}) {
    EXPECT_FALSE(is_code_task(Json::parse(text))) << text;
  }
  EXPECT_EQ(task_name(7), "7");
  EXPECT_EQ(task_name("7"), "7");
}

}  // namespace
}  // namespace brokerlab
