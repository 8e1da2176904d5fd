#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/json.h"

namespace brokerlab {

// What a program of other people prints as JSON when it is given `input` on standard input.
inline Json answer_of(const std::string& program, const std::string& input) {
  const std::filesystem::path file =
      std::filesystem::path(::testing::TempDir()) / ("brokerlab-input-" + std::to_string(::getpid()));
  std::ofstream(file) << input;
  const std::string command = program + " < '" + file.string() + "'";
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string answer;
  char block[4096];
  for (std::size_t got = 0; pipe != nullptr && (got = std::fread(block, 1, sizeof block, pipe)) > 0;)
    answer.append(block, got);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  std::filesystem::remove(file);
  return parse_json(answer, program);
}

}  // namespace brokerlab
