#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

// What strangers send us, one function per reader. Each takes any bytes, and must come back in bounded time
// and memory: with a result, or with a brokerlab::Error caught inside. Anything else is a find: another
// exception, a sanitizer's report, or a promise that does not hold (see require). libFuzzer drives them
// (script/fuzz), and fuzz_test.cpp over the committed corpora. One thread.
namespace brokerlab::fuzz {

using Input = std::span<const std::byte>;

void frames(Input input);      // a broker's side of a conversation: amqp/connection.h and all below it
void tables(Input input);      // field tables, message properties and methods
void uri(Input input);         // amqp/uri.h
void experiment(Input input);  // an experiment file: its schema, its meaning and its plan
void result(Input input);      // result.json, and what summaries and reports make of it
void recording(Input input);   // a recording, and the analysis of a run that left it

struct Target {
  const char* name;
  void (*run)(Input);
};
inline constexpr Target kTargets[] = {{"frames", frames}, {"tables", tables},
                                      {"uri", uri},       {"experiment", experiment},
                                      {"result", result}, {"recording", recording}};

// Aborts when a promise does not hold, so that the fuzzer keeps the input.
void require(bool holds, const char* promise);

std::string_view text_of(Input input);

// A file in memory with these bytes, in a folder of this process; gone with the process.
std::filesystem::path scratch_file(const char* name, Input bytes);

}  // namespace brokerlab::fuzz
